import { startChatApp, executeApp } from '../app';

describe('audio: speak', () => {
	it('the speech is stored with the extension of its format', async () => {
		const speech = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), Buffer.alloc(500)]);
		const sim = await startChatApp({ textToSpeech: true, speech, voice: 'alloy' });
		const [item] = await executeApp(sim, {
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
