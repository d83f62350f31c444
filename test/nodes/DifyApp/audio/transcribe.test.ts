import { executePrepared, getNodeError, prepareNode } from '../../dify';
import { createBinaryItem, startChatApp, executeApp } from '../app';

const TRANSCRIBE = { resource: 'audio', operation: 'transcribe', binaryPropertyName: 'data' };

describe('audio: transcribe', () => {
	it('returns the text, the file name and the size', async () => {
		const sim = await startChatApp({ speechToText: true, heard: 'hello world' });
		const [item] = await executeApp(sim, TRANSCRIBE, {
			items: [createBinaryItem('note.mp3', 'audio/mpeg')],
		});
		expect(item!.json).toEqual({ text: 'hello world', fileName: 'note.mp3', bytes: 5 });
	});

	it('silence is a hint, not an error', async () => {
		const sim = await startChatApp({ speechToText: true, heard: '' });
		const fake = prepareNode('difyApp', sim, {
			items: [createBinaryItem('note.wav', 'audio/wav')],
			parameters: TRANSCRIBE,
		});
		expect((await executePrepared('difyApp', fake))[0]!.json.text).toBe('');
		expect(fake.hints).toMatchObject([{ message: 'No speech was detected in the recording.' }]);
	});

	it.each([
		['note.mp3', 'audio/mpeg', 'OggS', 'ogg'],
		['note.m4a', 'application/octet-stream', '....ftypM4A ', 'm4a'],
		['note', 'application/octet-stream', 'ID3', 'mp3'],
		['voice.dat', 'application/octet-stream', 'RIFF....WAVE', 'wav'],
		['note.dat', 'application/octet-stream', '#!AMR', 'amr'],
		['note.dat', 'application/octet-stream', 'text', 'dat'],
	])('%s (%s) with %j is sent as audio/%s', async (name, mimeType, content, extension) => {
		const sim = await startChatApp({ speechToText: true, heard: 'hello' });
		await executeApp(sim, TRANSCRIBE, {
			items: [createBinaryItem(name, mimeType, content)],
			continueOnFail: true,
		});
		expect(sim.requests.at(-1)!.upload!.parts).toContainEqual(
			expect.objectContaining({ name: 'file', mimeType: `audio/${extension}` }),
		);
	});

	it('the formats of Dify are named if it rejects another one', async () => {
		const sim = await startChatApp({ speechToText: true });
		const error = await getNodeError(
			executeApp(sim, TRANSCRIBE, { items: [createBinaryItem('note.ogg', 'audio/ogg', 'OggS')] }),
		);
		expect(error.message).toBe('Dify does not transcribe this audio format');
		expect(error.description).toContain('MP3, M4A, WAV, AMR and MPGA');
		expect(sim.requests.filter(({ path }) => path.endsWith('/audio-to-text'))).toHaveLength(1);
	});
});
