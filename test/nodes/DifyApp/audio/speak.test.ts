import { startChatApp, executeApp } from '../app';

it.each([
	['RIFF\0\0\0\0WAVE', 'wav', 'audio/wav'],
	['OggS', 'ogg', 'audio/ogg'],
	['fLaC', 'flac', 'audio/flac'],
	['ID3', 'mp3', 'audio/mpeg'],
	['no signature', 'mp3', 'audio/mpeg'],
])(
	'audio: speak: speech that begins with %j is stored as %s',
	async (start, extension, mimeType) => {
		const speech = Buffer.concat([Buffer.from(start), Buffer.alloc(500)]);
		const sim = await startChatApp({ textToSpeech: true, speech, voice: 'alloy' });
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
