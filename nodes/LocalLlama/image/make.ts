import { makeImages } from '../../../lib/media/make-images';
import type { ImageRequest, JobProgress } from '../../../lib/media/types';
import { mediaOptions } from '../media-options';
import type { OperationItem } from '../../shared/run/operations';
import type { LlamaCall } from '../operation';
import { baseName, storeFile } from '../../shared/store-file';
import { withModel } from '../../shared/search-models';

/** Makes or edits pictures, and returns an item for each. */
export async function imageItems(
	call: LlamaCall,
	files: Pick<ImageRequest, 'images' | 'mask'>,
): Promise<OperationItem[]> {
	const { servers, parameters } = call;
	const options = mediaOptions(call);
	const settings = { model: parameters.name('model'), ...options };
	const { model } = await withModel(settings, servers, 'images', call.signal);
	const request: ImageRequest = {
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
	let progress: JobProgress | undefined;
	const { images, remarks, job } = await makeImages(servers, request, {
		...options,
		onProgress: (now) => (progress = now),
	});
	remarks.forEach((remark) => call.hint(remark));
	const name = baseName(parameters.name('options.fileName'), 'image');
	const items: OperationItem[] = [];
	for (const [index, { content, mimeType, extension, ...facts }] of images.entries()) {
		const fileName = `${images.length > 1 ? `${name}-${index + 1}` : name}.${extension}`;
		const stored = await storeFile(call, 'options.binaryPropertyOutput', {
			content,
			fileName,
			mimeType,
		});
		items.push({
			json: {
				...stored.facts,
				...facts,
				prompt: request.prompt,
				...(model === '' ? {} : { model }),
				...(job === undefined
					? {}
					: {
							job: {
								...job,
								...(progress === undefined ? {} : { seconds: Math.round(progress.seconds) }),
							},
						}),
			},
			binary: stored.binary,
		});
	}
	return items;
}
