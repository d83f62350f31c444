import { MAX_PICTURES_BYTES } from '../http/answer';
import type { Connection } from '../http/connection';
import { base64Of } from './image-job';
import type { CallAnswer } from '../http/types';
import { parseObject } from '../json';
import { asList, filled, finiteNumber, type JsonRecord, recordOf, text } from '../values';
import type { ImageAttempt, ImageRequest } from './types';
import { sendOptions } from './task';

/**
 * Makes pictures through the routes of the Stable Diffusion WebUI (AUTOMATIC1111, modules/api), which its forks and
 * sd-server have as well.
 *
 * @returns the pictures in the form that `readImages` takes, with their seeds
 * @throws {ServerError}
 */
export async function askWebUi(
	connection: Connection,
	request: ImageRequest,
	options: ImageAttempt,
): Promise<{ json: unknown; answer: CallAnswer }> {
	const route = request.images.length === 0 ? 'txt2img' : 'img2img';
	const answer = await connection.answer(`${connection.url.root}/sdapi/v1/${route}`, {
		...sendOptions(request.model, options),
		maxBytes: MAX_PICTURES_BYTES,
		json: await bodyOf(request),
	});
	const { images: pictures, info } = recordOf(answer.json);
	const seeds = asList(parseObject(text(info) ?? '')?.all_seeds).map(finiteNumber);
	const data = asList(pictures).map((picture, index) => {
		const seed = seeds[index];
		return seed === undefined ? picture : { b64_json: picture, seed };
	});
	return { json: { data }, answer };
}

async function bodyOf(request: ImageRequest): Promise<JsonRecord> {
	const { model, size, images, mask } = request;
	const [width, height] = size === '' ? [] : size.split('x').map(Number);
	const pictures: string[] = [];
	for (const image of images) pictures.push(await base64Of(image));
	const settings = model === '' ? undefined : { sd_model_checkpoint: model };
	return {
		prompt: request.prompt,
		batch_size: request.count,
		...filled({
			negative_prompt: request.negativePrompt,
			width,
			height,
			steps: request.steps,
			cfg_scale: request.guidance,
			seed: request.seed,
			override_settings: settings,
			init_images: pictures,
			mask: await base64Of(mask),
		}),
		...request.extra,
	};
}
