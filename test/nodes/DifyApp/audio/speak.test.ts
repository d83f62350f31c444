import { nodeErrorOf } from '../../dify';
import { chatApp, run } from '../app';

describe('audio: speak', () => {
	it('speak: D124, a file with the name of its sound', async () => {
		const speech = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), Buffer.alloc(500)]);
		const sim = await chatApp({ textToSpeech: true, speech, voice: 'alloy' });
		const [item] = await run(sim, {
			resource: 'audio',
			operation: 'speak',
			source: 'text',
			text: 'Hello',
		});
		expect(item!.json).toMatchObject({
			fileName: 'speech.wav',
			mimeType: 'audio/wav',
			bytes: 512,
			voice: 'alloy',
		});
		expect(Buffer.from(item!.binary!.data!.data, 'base64').equals(speech)).toBe(true);
	});

	it('speak: an app without speech is told before anything is sent', async () => {
		const sim = await chatApp({ textToSpeech: false });
		const failed = await nodeErrorOf(
			run(sim, {
				resource: 'audio',
				operation: 'speak',
				source: 'text',
				text: 'Hi',
				options: { voice: 'alloy' },
			}),
		);
		expect(failed.message).toBe('Text to Speech is switched off in the app');
		expect(sim.requests.map(({ path }) => path)).toEqual(['/parameters']);
	});
});
