import { createModelServer } from '../../../lib/servers/endpoint';
import type { FileSource } from '../../../lib/http/multipart';
import type { TaskSettings } from '../../../lib/tasks/run-task';
import type { TranscribeRequest } from '../../../lib/tasks/transcribe';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { PNG } from '../../simulators/media/sd-server';
import { NO_EXECUTION } from '../../support/n8n/node-host';

export const OPTIONS: TaskSettings = {
	model: '',
	timeouts: {},
	retries: 0,
	priority: 'interactive',
};

export const connect = (url: string, apiKey = ''): ModelServer =>
	createModelServer({ baseUrl: url, apiKey, authentication: 'bearer' }, NO_EXECUTION);

export const fileOf = (bytes: Uint8Array | string, name: string, mimeType: string): FileSource => {
	const content = Buffer.from(bytes as string);
	return {
		name,
		mimeType,
		size: content.byteLength,
		open: async function* () {
			for (let server = 0; server < content.byteLength; server += 1000)
				yield content.subarray(server, server + 1000);
		},
	};
};

/** An image of one pixel. */
export const pngFile = (name = 'fox.png'): FileSource =>
	fileOf(Buffer.from(PNG, 'base64'), name, 'image/png');

/** One second of audio. */
export const wavFile = (name = 'note.wav'): FileSource =>
	fileOf(
		Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt '), Buffer.alloc(32_000)]),
		name,
		'audio/wav',
	);

export const transcribeRequest = (
	overrides: Partial<TranscribeRequest> = {},
): TranscribeRequest => ({
	translate: false,
	file: wavFile(),
	format: 'json',
	language: '',
	prompt: '',
	granularities: [],
	extraBody: {},
	...overrides,
});

export async function readBytes(audio: Buffer | AsyncIterable<Uint8Array>): Promise<Buffer> {
	if (Buffer.isBuffer(audio)) return audio;
	const chunks: Uint8Array[] = [];
	for await (const chunk of audio) chunks.push(chunk);
	return Buffer.concat(chunks);
}
