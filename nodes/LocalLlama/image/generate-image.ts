import { generateImages, IMAGE_OPTIONS } from '../../../lib/tasks/generate-images';
import { omitEmpty, omitUndefined } from '../../../lib/values/records';
import type { FieldTable } from '../../../lib/fields/field';
import { modelField } from '../../shared/fields/model-selection';
import { mediaRequestOptions } from '../../shared/fields/request-options';
import { baseName, storeFile } from '../../../lib/n8n/binary';
import type { LocalLlamaOperation } from '../run-local-llama';
import type { ResultItem } from '../output';
import { fileNameField, itemOptionsField, outputFileField } from '../operation-fields';
import { resolveModelRequestSettings } from '../model-request-settings';
import { withOutput } from '../output';

const { prompt: promptField, ...imageOptions } = IMAGE_OPTIONS;

const fields = {
	model: modelField('The model that generates the image', {
		search: 'searchImageModels',
		example: 'flux.1-schnell',
	}),
	prompt: promptField,
	options: itemOptionsField(
		{
			...imageOptions,
			fileName: fileNameField('image'),
			binaryPropertyOutput: outputFileField,
			...mediaRequestOptions,
		},
		1,
	),
} as const satisfies FieldTable;

export const imageGenerate: LocalLlamaOperation = withOutput({
	name: 'Generate',
	value: 'generate',
	action: 'Generate an image',
	description: 'Generate images from a description: GPUStack and others',
	fields,
	execute: async (call) => {
		const { server, values } = call;
		const { prompt, options } = values;
		const request = {
			prompt,
			count: options.count ?? 1,
			size: (options.size ?? '').replace(/\s{0,9}[x×*]\s{0,9}/i, 'x'),
			format: options.outputFormat ?? '',
			seed: options.seed,
			extraBody: options.extraBody ?? {},
		} as const;
		const name = baseName(options.fileName ?? '', 'image');
		const property = options.binaryPropertyOutput || outputFileField.default;
		const settings = await resolveModelRequestSettings(call, 'images');
		const { images, warnings } = await generateImages(server, settings, request);
		warnings.forEach(call.hint);
		const metadata = { prompt, ...omitEmpty({ model: settings.model }) };
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
	},
});
