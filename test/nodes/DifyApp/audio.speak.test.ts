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
