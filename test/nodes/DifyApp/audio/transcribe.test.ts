import { executePrepared, prepareNode } from '../../dify';
import { createBinaryItem, startChatApp, executeApp } from '../app';

describe('audio: transcribe', () => {
	it('returns the text, the file name and the size', async () => {
		const sim = await startChatApp({ speechToText: true, heard: 'hello world' });
		const [item] = await executeApp(
			sim,
			{ resource: 'audio', operation: 'transcribe', binaryPropertyName: 'data' },
			{ items: [createBinaryItem('note.mp3', 'audio/mpeg')] },
		);
		expect(item!.json).toEqual({ text: 'hello world', fileName: 'note.mp3', bytes: 5 });
	});

	it('silence is a hint, not an error', async () => {
		const sim = await startChatApp({ speechToText: true, heard: '' });
		const fake = prepareNode('difyApp', sim, {
			items: [createBinaryItem('note.wav', 'audio/wav')],
			parameters: { resource: 'audio', operation: 'transcribe', binaryPropertyName: 'data' },
		});
		expect((await executePrepared('difyApp', fake))[0]!.json.text).toBe('');
		expect(fake.hints).toMatchObject([{ message: 'No speech was detected in the recording.' }]);
	});
});
