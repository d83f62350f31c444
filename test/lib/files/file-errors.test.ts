import { createServerError } from '../../../lib/errors/create-error';
import { withFileNames } from '../../../lib/files/file-errors';

const FILE = {
	name: 'talk.wav',
	mimeType: 'audio/wav',
	size: 40_000_000,
	head: Buffer.from('RIFF1234WAVE'),
};

const explain = (type: 'requestTooLarge' | 'badRequest' | 'promptTooLong', serverText: string) =>
	withFileNames(createServerError(type, { url: 'http://gpu' }, { serverText }), [FILE]);

test.each([
	['nginx', 'requestTooLarge', '413 Request Entity Too Large nginx'],
	['OpenAI', 'requestTooLarge', 'Maximum content size limit (26214400) exceeded'],
	['vLLM', 'badRequest', 'Maximum file size exceeded'],
	['a FastAPI server', 'badRequest', 'The uploaded file is too large'],
] as const)('a file over the limit of %s: one suggestion, about the file', (_name, type, text) => {
	const error = explain(type, text);
	expect(error.type).toBe('requestTooLarge');
	expect(error.detail).toContain('Files sent: "talk.wav" (audio/wav, 40 MB)');
	expect(error.suggestion).toBe(
		'Shorten or shrink the file, or raise the limit of the server (vLLM: VLLM_MAX_AUDIO_CLIP_FILESIZE_MB) or of the proxy in front of it (nginx: client_max_body_size).',
	);
});

test('files of a prompt that is too long are named before the other suggestion', () => {
	const { suggestion } = explain('promptTooLong', 'maximum context length');
	expect(suggestion).toMatch(/^Files use tokens, too: pass fewer or smaller files\. ./);
});
