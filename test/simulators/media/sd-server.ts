/** Simulates OpenAI's route for pictures as sd-server of stable-diffusion.cpp 97d2990 has it, after its source. */
import { jsonReply, startMediaServer, type MediaSim } from './server';

export interface SdServerOptions {
	/** How many pictures it makes. Default: as requested. */
	makes?: number;
}

/** A picture of one pixel. */
export const PNG =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export const startSdServerSim = async ({ makes }: SdServerOptions = {}): Promise<MediaSim> =>
	await startMediaServer(({ request, json }) => {
		switch (`${request.method} ${request.path}`) {
			case 'GET /v1/models':
				return jsonReply({ data: [{ id: 'sd-cpp-local', object: 'model', owned_by: 'local' }] });
			case 'POST /v1/images/generations': {
				if (typeof json.prompt !== 'string' || json.prompt === '')
					return jsonReply({ error: 'prompt required' }, 400);
				const count = makes ?? Number(json.n ?? 1);
				const data = Array.from({ length: count }, () => ({ b64_json: PNG }));
				return jsonReply({ created: 1775401200, data, output_format: 'png' });
			}
			default:
				return { status: 404, headers: [] };
		}
	});
