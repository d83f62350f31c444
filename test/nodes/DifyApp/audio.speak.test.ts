import { getNodeError } from '../dify';
import { startChatApp, executeApp } from './app';

it.each([
	['audio/mpeg', 'RIFF\0\0\0\0WAVE', 'wav', 'audio/wav'],
	['audio/mpeg', 'OggS', 'ogg', 'audio/ogg'],
	['audio/mpeg', 'fLaC', 'flac', 'audio/flac'],
	['audio/mpeg', 'ID3', 'mp3', 'audio/mpeg'],
	['audio/mpeg', 'no signature', 'mp3', 'audio/mpeg'],
	// Newer versions send the real type.
	['audio/wav', 'RIFF\0\0\0\0WAVE', 'wav', 'audio/wav'],
	['audio/x-wav', 'RIFF\0\0\0\0WAVE', 'wav', 'audio/wav'],
	['audio/ogg; codecs=opus', 'OggS', 'ogg', 'audio/ogg'],
	['audio/mp3', 'ID3', 'mp3', 'audio/mpeg'],
	['application/octet-stream', 'RIFF\0\0\0\0WAVE', 'wav', 'audio/wav'],
	['audio/wav', 'no signature', 'wav', 'audio/wav'],
	// The bytes decide.
	['audio/wav', 'ID3', 'mp3', 'audio/mpeg'],
	['audio/ogg', 'RIFF\0\0\0\0WAVE', 'wav', 'audio/wav'],
])(
	'audio: speak: speech of type %s that begins with %j is stored as %s',
	async (speechType, start, extension, mimeType) => {
		const speech = Buffer.concat([Buffer.from(start), Buffer.alloc(500)]);
		const sim = await startChatApp({ textToSpeech: true, speech, speechType, voice: 'alloy' });
		const [item] = await executeApp(sim, {
			resource: 'audio',
			operation: 'speak',
			source: 'text',
			text: 'Hello',
		});
		expect(item!.json).toMatchObject({
			fileName: `speech.${extension}`,
			mimeType,
			bytes: speech.byteLength,
		});
		expect(Buffer.from(item!.binary!.data!.data, 'base64')).toEqual(speech);
	},
);

it.each([
	['audio/mpeg', '\x89PNG\r\n\x1a\n', 'an image (image/png)'],
	['audio/mpeg', '%PDF-1.7\n', 'a file (application/pdf)'],
	['application/octet-stream', '<svg onload="x()">', 'an SVG document'],
	['audio/wav', '<!DOCTYPE html><script>x()</script>', 'Dify web app'],
	['audio/wav', '{"code":"x","message":"quota exceeded","status":400}', 'quota exceeded'],
	['audio/mpeg', 'The voice is unknown', 'The voice is unknown'],
])(
	'audio: speak: a response of type %s that begins with %j is no audio',
	async (type, start, is) => {
		const isText = !/^an? /.test(is);
		const padding = isText ? Buffer.alloc(500, ' ') : Buffer.alloc(500);
		const speech = Buffer.concat([Buffer.from(start, 'latin1'), padding]);
		const sim = await startChatApp({
			textToSpeech: true,
			speech,
			speechType: type,
			voice: 'alloy',
		});
		const failed = await getNodeError(
			executeApp(sim, { resource: 'audio', operation: 'speak', source: 'text', text: 'Hello' }),
		);
		if (isText) expect(`${failed.message} ${failed.description}`).toContain(is);
		else expect(failed.description).toContain(`The response from Dify is not audio, but ${is}`);
	},
);
