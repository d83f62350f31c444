/** Simulates Kokoro-FastAPI 26eec06 after its source (api/src/routers/openai_compatible.py): speech in pieces. */
import { bytesReply, jsonReply, noSuchPath, startMediaServer, type MediaSim } from './server';

export interface KokoroOptions {
	/** Audio pieces of one request. Default: MP3 frames. */
	sound?: (request: Record<string, unknown>) => Uint8Array[];
}

const VOICES = ['af_bella', 'af_heart'];
const TYPES: Record<string, string> = {
	mp3: 'audio/mpeg',
	wav: 'audio/wav',
	opus: 'audio/opus',
	pcm: 'audio/pcm',
};

export const startKokoroSim = async ({
	sound = () => [
		Buffer.from('ID3\x04\0\0'),
		new Uint8Array(3000).fill(5),
		new Uint8Array(500).fill(6),
	],
}: KokoroOptions = {}): Promise<MediaSim> => {
	const rejection = (error: string, message: string) =>
		jsonReply({ detail: { error, message, type: 'invalid_request_error' } }, 400);
	return await startMediaServer(({ request, json }) => {
		switch (`${request.method} ${request.path}`) {
			case 'GET /v1/models':
				return jsonReply({
					object: 'list',
					data: ['tts-1', 'tts-1-hd', 'kokoro'].map((id) => ({
						id,
						object: 'model',
						created: 1686935002,
						owned_by: 'kokoro',
					})),
				});
			case 'POST /v1/audio/speech': {
				const { model = 'kokoro', voice = 'af_heart', response_format: format = 'mp3' } = json;
				if (!['tts-1', 'tts-1-hd', 'kokoro'].includes(String(model)))
					return rejection('invalid_model', `Unsupported model: ${String(model)}`);
				if (!VOICES.includes(String(voice)))
					return rejection(
						'validation_error',
						`Voice '${String(voice)}' not found. Available voices: ${VOICES.join(', ')}`,
					);
				return bytesReply(TYPES[String(format)] ?? `audio/${String(format)}`, sound(json));
			}
			default:
				return noSuchPath();
		}
	});
};
