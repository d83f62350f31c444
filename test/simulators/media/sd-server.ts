/** Simulates OpenAI's routes for pictures as sd-server of stable-diffusion.cpp 97d2990 and 0137f16 (edits) has them, after its source. */
import { jsonReply, modelsReply, startMediaServer } from './server';
import type { MediaSim } from './server';

export interface SdServerOptions {
	/** How many pictures it makes. Default: as requested. */
	makes?: number;
}

/** A picture of one pixel. */
export const PNG =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const toPictures = (count: number) =>
	jsonReply({
		created: 1775401200,
		data: Array.from({ length: count }, () => ({ b64_json: PNG })),
		output_format: 'png',
	});

export const startSdServerSim = async ({ makes }: SdServerOptions = {}): Promise<MediaSim> =>
	await startMediaServer(
		{
			'GET /v1/models': () => modelsReply({ id: 'sd-cpp-local', owned_by: 'local' }),
			'POST /v1/images/generations': ({ json }) => {
				if (typeof json.prompt !== 'string' || json.prompt === '')
					return jsonReply({ error: 'prompt required' }, 400);
				return toPictures(makes ?? Number(json.n ?? 1));
			},
			'POST /v1/images/edits': ({ request, form: { fields, parts } }) => {
				const type = request.headers['content-type'] ?? '';
				if (!type.startsWith('multipart/form-data'))
					return jsonReply({ error: 'Content-Type must be multipart/form-data' }, 400);
				if (!fields.prompt) return jsonReply({ error: 'prompt required' }, 400);
				if (!parts.some(({ name }) => name === 'image' || name === 'image[]'))
					return jsonReply({ error: 'at least one image[] required' }, 400);
				return toPictures(makes ?? Number(fields.n ?? 1));
			},
		},
		() => ({ status: 404, headers: [] }),
	);
