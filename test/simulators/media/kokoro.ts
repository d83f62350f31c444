/** Simulates Kokoro-FastAPI 26eec06 after its source (api/src/routers/openai_compatible.py): speech in pieces. */
import { bytesReply, jsonReply, modelsReply, startMediaServer } from './server';
import type { MediaSim } from './server';

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

const MODELS = ['tts-1', 'tts-1-hd', 'kokoro'];

const rejection = (error: string, message: string) =>
	jsonReply({ detail: { error, message, type: 'invalid_request_error' } }, 400);

export const startKokoroSim = async ({
	sound = () => [
		Buffer.from('ID3\x04\0\0'),
		new Uint8Array(3000).fill(5),
		new Uint8Array(500).fill(6),
	],
}: KokoroOptions = {}): Promise<MediaSim> =>
	await startMediaServer({
		'GET /v1/models': () => modelsReply(...MODELS.map((id) => ({ id, owned_by: 'kokoro' }))),
		'POST /v1/audio/speech': ({ json }) => {
			const { model = 'kokoro', voice = 'af_heart', response_format: format = 'mp3' } = json;
			if (!MODELS.includes(String(model)))
				return rejection('invalid_model', `Unsupported model: ${String(model)}`);
			if (!VOICES.includes(String(voice)))
				return rejection(
					'validation_error',
					`Voice '${String(voice)}' not found. Available voices: ${VOICES.join(', ')}`,
				);
			return bytesReply(TYPES[String(format)] ?? `audio/${String(format)}`, sound(json));
		},
	});
