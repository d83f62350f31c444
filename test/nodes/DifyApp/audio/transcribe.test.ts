import { executeIn, prepareNode } from '../../dify';
import { binaryItem, chatApp, run } from '../app';

describe('audio: transcribe', () => {
	it('transcribe', async () => {
		const sim = await chatApp({ speechToText: true, heard: 'hello world' });
		const [item] = await run(
			sim,
			{ resource: 'audio', operation: 'transcribe', binaryPropertyName: 'data' },
			{ items: [binaryItem('note.mp3', 'audio/mpeg')] },
		);
		expect(item!.json).toEqual({ text: 'hello world', fileName: 'note.mp3', bytes: 5 });
	});

	it('transcribe: silence is a hint, not a failure', async () => {
		const sim = await chatApp({ speechToText: true, heard: '' });
		const fake = prepareNode('difyApp', sim, {
			items: [binaryItem('note.wav', 'audio/wav')],
			parameters: { resource: 'audio', operation: 'transcribe', binaryPropertyName: 'data' },
		});
		expect((await executeIn('difyApp', fake))[0]!.json.text).toBe('');
		expect(fake.hints).toMatchObject([{ message: 'No speech was detected in the recording.' }]);
	});
});
