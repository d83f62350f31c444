/** Simulates OpenAI's route for pictures as sd-server of stable-diffusion.cpp 97d2990 has it, after its source. */
import { jsonReply, modelsReply, startMediaServer } from './server';
import type { MediaSim } from './server';

export interface SdServerOptions {
	/** How many pictures it makes. Default: as requested. */
	makes?: number;
}

/** A picture of one pixel. */
export const PNG =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export const startSdServerSim = async ({ makes }: SdServerOptions = {}): Promise<MediaSim> =>
	await startMediaServer(
		{
			'GET /v1/models': () => modelsReply({ id: 'sd-cpp-local', owned_by: 'local' }),
			'POST /v1/images/generations': ({ json }) => {
				if (typeof json.prompt !== 'string' || json.prompt === '')
					return jsonReply({ error: 'prompt required' }, 400);
				const count = makes ?? Number(json.n ?? 1);
				const data = Array.from({ length: count }, () => ({ b64_json: PNG }));
				return jsonReply({ created: 1775401200, data, output_format: 'png' });
			},
		},
		() => ({ status: 404, headers: [] }),
	);
