import { chatApp, run } from '../app';

describe('audio: speak', () => {
	it('speak: D124, a file with an extension by its format', async () => {
		const speech = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), Buffer.alloc(500)]);
		const sim = await chatApp({ textToSpeech: true, speech, voice: 'alloy' });
		const [item] = await run(sim, {
			resource: 'audio',
			operation: 'speak',
			source: 'text',
			text: 'Hello',
		});
		expect(item!.json).toMatchObject({
			fileName: 'speech.mp3',
			mimeType: 'audio/mpeg',
			bytes: 512,
		});
		expect(Buffer.from(item!.binary!.data!.data, 'base64').equals(speech)).toBe(true);
	});
});
