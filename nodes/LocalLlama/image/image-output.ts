/** What both operations with images have in common: their options, and their items. */
import type { ImageRequest, ImageResult } from '../../../lib/tasks/images';
import { IMAGE_OPTIONS } from '../../../lib/tasks/images';
import type { FieldTable, OptionValues } from '../../../lib/fields/field';
import { baseName, storeFile } from '../../../lib/n8n/binary';
import type { JsonRecord } from '../../../lib/values/records';
import { omitEmpty, omitUndefined } from '../../../lib/values/records';
import type { ResultItem } from '../output';
import { fileNameField, outputFileField } from '../operation-fields';
import type { LlamaCall } from '../run-local-llama';

/** Options of both. */
export const imageOptions = {
	...IMAGE_OPTIONS,
	fileName: fileNameField('image'),
	binaryPropertyOutput: outputFileField,
} as const satisfies FieldTable;

/** Their values. */
type ImageOptionValues = OptionValues<typeof imageOptions> & { readonly extraBody?: JsonRecord };

/** What is requested. */
export function toImageRequest(prompt: string, options: ImageOptionValues): ImageRequest {
	return {
		prompt,
		count: options.count ?? 1,
		size: (options.size ?? '').replace(/\s{0,9}[x×*]\s{0,9}/i, 'x'),
		format: options.outputFormat ?? '',
		seed: options.seed,
		extraBody: options.extraBody ?? {},
	};
}

/** What the items say besides the images. */
interface ImageSource {
	prompt: string;
	/** Empty: none was sent. */
	model: string;
	options: ImageOptionValues;
}

/** An item for each image, and the warnings as hints. */
export async function storeImages(
	call: LlamaCall,
	{ images, warnings }: ImageResult,
	{ prompt, model, options }: ImageSource,
): Promise<ResultItem[]> {
	warnings.forEach((warning) => call.hint(warning));
	const name = baseName(options.fileName ?? '', 'image');
	const property = options.binaryPropertyOutput || outputFileField.default;
	const metadata = { prompt, ...omitEmpty({ model }) };
	const items: ResultItem[] = [];
	for (const [index, image] of images.entries()) {
		const { content, mimeType, extension, width, height, revisedPrompt, seed } = image;
		const suffix = images.length > 1 ? `-${index + 1}` : '';
		const file = { content, fileName: `${name}${suffix}.${extension}`, mimeType };
		const { facts, binary } = await storeFile(call, property, file);
		items.push({
			output: { ...facts, ...omitUndefined({ width, height }) },
			metadata: { ...metadata, revisedPrompt, seed },
			binary,
		});
	}
	return items;
}
