import { MAX_PICTURES_BYTES } from '../http/answer';
import type { Connection } from '../http/connection';
import { base64Of } from './image-job';
import type { CallAnswer } from '../http/types';
import { asList, filled, finiteNumber, parseObject, recordOf, text } from '../values';
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
	const { model, prompt, count, size, negativePrompt, steps, guidance, seed, extra, images, mask } =
		request;
	const [width, height] = size === '' ? [] : size.split('x').map(Number);
	const pictures: string[] = [];
	for (const image of images) pictures.push(await base64Of(image));
	const answer = await connection.answer(
		`${connection.url.root}/sdapi/v1/${images.length === 0 ? 'txt2img' : 'img2img'}`,
		{
			...sendOptions(model, options),
			maxBytes: MAX_PICTURES_BYTES,
			json: {
				prompt,
				batch_size: count,
				...filled({
					negative_prompt: negativePrompt,
					width,
					height,
					steps,
					cfg_scale: guidance,
					seed,
				}),
				...(model === '' ? {} : { override_settings: { sd_model_checkpoint: model } }),
				...filled({ init_images: pictures, mask: await base64Of(mask) }),
				...extra,
			},
		},
	);
	const { images: made, info } = recordOf(answer.json);
	const seeds = asList(parseObject(text(info) ?? '')?.all_seeds).map(finiteNumber);
	const data = asList(made).map((picture, index) =>
		seeds[index] === undefined ? picture : { b64_json: picture, seed: seeds[index] },
	);
	return { json: { data }, answer };
}
