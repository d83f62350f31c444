/** Images from responses of any form, with each setting: the images, their warnings, or the error. */
import { generateImages } from '../../../lib/tasks/generate-images';
import type { ImageRequest } from '../../../lib/tasks/images';
import { expectApproved } from '../../support/approved/approved-table';
import { useServers } from '../../support/servers/scripted-server';
import type { PlayedResponse } from './play-responses';
import { playResponses } from './play-responses';
import { OPTIONS } from './media';
import path from 'node:path';

const start = useServers();

/** The beginning of a PNG with its size. */
function png(width: number, height: number): string {
	const head = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
	const size = Buffer.alloc(17);
	size.writeUInt32BE(width, 0);
	size.writeUInt32BE(height, 4);
	return Buffer.concat([head, size]).toString('base64');
}
const JPEG = Buffer.from('\xff\xd8\xff\xe0\0\x10JFIF\0\x01', 'latin1').toString('base64');
const data = (...images: unknown[]) => ({ body: { data: images } });
const one = { b64_json: png(512, 256) };

interface Case {
	response: PlayedResponse;
	request?: Partial<ImageRequest>;
}

const CASES: Readonly<Record<string, Case>> = {
	'an image': { response: data(one) },
	'with what the server says of it': {
		response: data({ ...one, revised_prompt: 'a fox', seed: 0 }),
	},
	'two of two': { response: data(one, one), request: { count: 2 } },
	'one of two': { response: data(one), request: { count: 2 } },
	'two of one': { response: data(one, one) },
	'of the size': { response: data(one), request: { size: '512x256' } },
	'of another size': { response: data(one), request: { size: '256x512' } },
	'a size that is no size': { response: data(one), request: { size: '512' } },
	'of the format': { response: data(one), request: { format: 'png' } },
	'of another format': { response: data(one), request: { format: 'jpeg' } },
	'a JPEG without its size': { response: data({ b64_json: JPEG }), request: { size: '5x5' } },
	'a seed of 0': { response: data(one), request: { seed: 0 } },
	'Extra Body over all': {
		response: data(one),
		request: { count: 2, extraBody: { n: 1, size: 'big', steps: 4 } },
	},
	'a data URL': { response: data({ url: `data:image/png;base64,${png(1, 1)}` }) },
	'an image URL in an object': {
		response: data({ image_url: { url: `data:image/png;base64,${png(1, 1)}` } }),
	},
	'an address': { response: data({ url: 'http://elsewhere/a.png' }) },
	'a list of texts': { response: { body: { images: [png(1, 2)] } } },
	'one in an object': { response: { body: { image: png(1, 2) } } },
	artifacts: { response: { body: { artifacts: [{ base64: png(1, 2), seed: 7 }] } } },
	'an empty entry': { response: data(null, '', one) },
	'no image but text': { response: data({ b64_json: Buffer.from('hello').toString('base64') }) },
	'an empty list': { response: data() },
	nothing: { response: { body: '' } },
	'an empty object': { response: { body: {} } },
	'a page': { response: { body: '<html></html>', type: 'text/html' } },
	'an error with status 200': { response: { body: { error: 'no model' } } },
	'an error': {
		response: { body: { error: { message: 'size: too small', param: 'size' } }, status: 400 },
		request: { size: '100x64' },
	},
	'a missing route': { response: { body: { error: { message: 'Not Found' } }, status: 404 } },
	'a blank prompt': { response: data(one), request: { prompt: ' ' } },
};

test('each response', async () => {
	const rows = [];
	for (const [input, { response, request }] of Object.entries(CASES)) {
		const outcome = await playResponses({
			start,
			path: '/v1/images/generations',
			responses: [response],
			call: async (server) => {
				const given = {
					prompt: 'P',
					count: 1,
					size: '',
					format: '',
					extraBody: {},
					...request,
				} as const;
				const { images, warnings } = await generateImages(
					server,
					{ ...OPTIONS, model: 'm' },
					given,
				);
				return [
					...images.map(({ content, ...image }) => ({ ...image, bytes: content.byteLength })),
					...warnings,
				];
			},
		});
		rows.push({ input, outcome });
	}
	expectApproved(
		path.join(__dirname, 'generate-images.any-response.approved.txt'),
		rows,
		'Every image is returned, or the error says why not',
	);
});
