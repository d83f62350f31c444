import type { JobFacts } from '../../../lib/media/image-job';
import { makeImages, type MadeImage } from '../../../lib/media/make-images';
import type { ImageRequest, JobProgress } from '../../../lib/media/types';
import { mediaOptions } from '../media-options';
import type { OperationItem } from '../../shared/run/operations';
import type { LlamaCall } from '../operation';
import { baseName, storeFile } from '../../shared/store-file';
import { withModel } from '../../shared/search-models';
import type { NodeParameters } from '../../shared/parameters';
import { nonEmptyText, optional } from '../../../lib/values';

type Files = Pick<ImageRequest, 'images' | 'mask'>;

/** Makes or edits pictures, and returns an item for each. */
export async function imageItems(call: LlamaCall, files: Files): Promise<OperationItem[]> {
	const { servers, parameters } = call;
	const options = mediaOptions(call);
	const settings = { model: parameters.name('model'), ...options };
	const { model } = await withModel(settings, servers, 'images', call.signal);
	const request = requestIn(parameters, files, model);
	let progress: JobProgress | undefined;
	const { images, remarks, job } = await makeImages(servers, request, {
		...options,
		onProgress: (now) => (progress = now),
	});
	remarks.forEach((remark) => call.hint(remark));
	const facts = {
		prompt: request.prompt,
		...optional({ model: nonEmptyText(model), job: job && jobFacts(job, progress) }),
	};
	const name = baseName(parameters.name('options.fileName'), 'image');
	const items: OperationItem[] = [];
	for (const [index, image] of images.entries()) {
		const ownName = images.length > 1 ? `${name}-${index + 1}` : name;
		items.push(await imageItem(call, image, ownName, facts));
	}
	return items;
}

function requestIn(parameters: NodeParameters, files: Files, model: string): ImageRequest {
	return {
		...files,
		model,
		prompt: parameters.freeText('prompt'),
		count: parameters.number('options.count', 1),
		size: parameters.name('options.size').replace(/\s{0,9}[x×*]\s{0,9}/i, 'x'),
		format: parameters.choice<ImageRequest['format'] & string>('options.outputFormat', ''),
		negativePrompt: parameters.freeText('options.negativePrompt'),
		steps: parameters.number('options.steps', undefined),
		guidance: parameters.number('options.guidance', undefined),
		seed: parameters.number('options.seed', undefined),
		extra: parameters.object('options.extraBody', {}),
	};
}

function jobFacts(job: JobFacts, progress: JobProgress | undefined): object {
	return { ...job, ...optional({ seconds: progress && Math.round(progress.seconds) }) };
}

/** Stores a picture in the binary data of its item. */
async function imageItem(
	call: LlamaCall,
	{ content, mimeType, extension, ...ofImage }: MadeImage,
	name: string,
	facts: object,
): Promise<OperationItem> {
	const file = { content, fileName: `${name}.${extension}`, mimeType };
	const stored = await storeFile(call, 'options.binaryPropertyOutput', file);
	return { json: { ...stored.facts, ...ofImage, ...facts }, binary: stored.binary };
}
