/** What KoboldCpp 1.76 drops without a word is told (seen on a real one). */
import { listModels } from '../../../lib/servers/model-list';
import { connectTo } from '../../../lib/servers/connect';
import { reply } from '../../servers/llama-server';
import { SESAME, useLocalLlama } from './run-node';

const { serve, prepare, executeIn, json, failure, sent } = useLocalLlama();

const CHAT = { resource: 'text', operation: 'chat', prompt: 'What is it?' };
const itemWith = (mimeType: string) => ({
	items: [
		{ json: {}, binary: { data: { mimeType, data: Buffer.from('RIFF').toString('base64') } } },
	],
});

const kobold = async (abilities: object = { vision: false, transcribe: false }, context = 2048) => {
	const sim = await serve({ profile: 'koboldcpp' });
	sim.route('GET /api/extra/version', reply.json({ result: 'KoboldCpp', ...abilities }));
	sim.route('GET /api/extra/true_max_context_length', reply.json({ value: context }));
	return sim;
};

test('a picture without a projector is refused before it is sent', async () => {
	await kobold();
	const error = await failure({ ...CHAT, binaryFields: 'data' }, itemWith('image/png'));
	expect(error.message).toContain('cannot see pictures');
	expect(error.description).toContain('--mmproj');
	expect(sent('/chat/completions')).toHaveLength(0);
});

test.each([{ vision: true }, {}])('with %j the picture is sent', async (abilities) => {
	await kobold(abilities);
	await json({ ...CHAT, binaryFields: 'data' }, itemWith('image/png'));
	expect(sent('/chat/completions')).toHaveLength(1);
});

test('a recording without a Whisper model is refused before it is sent', async () => {
	await kobold();
	const transcribe = { resource: 'audio', operation: 'transcribe', binaryPropertyName: 'data' };
	const error = await failure({ ...transcribe, model: '' }, itemWith('audio/wav'));
	expect(error.message).toBe('KoboldCpp cannot transcribe sound');
});

test('a conversation that does not fit: a hint, since the beginning is left out', async () => {
	await kobold({}, 100);
	const long = prepare({ parameters: { ...CHAT, prompt: 'word '.repeat(101) } });
	await executeIn(long);
	expect(long.hints.map(({ message }) => message)).toEqual([
		expect.stringContaining('too long for the context of 100 tokens'),
	]);
	const short = prepare({ parameters: { ...CHAT, prompt: 'word '.repeat(99) } });
	await executeIn(short);
	expect(short.hints).toEqual([]);
});

test('the list tells context and vision', async () => {
	const { url } = await kobold();
	const connection = connectTo({ baseUrl: url, headers: { authorization: `Bearer ${SESAME}` } });
	expect(await listModels(connection)).toMatchObject([{ context: 2048, vision: false }]);
});

test('Classify is bound by a grammar', async () => {
	const sim = await kobold();
	sim.script(reply.text('B'));
	const classify = { resource: 'text', operation: 'classify', text: 'x' };
	expect(
		await json({ ...classify, labels: { label: [{ name: 'a' }, { name: 'b' }] } }),
	).toMatchObject({ label: 'b' });
	expect(sent('/chat/completions')[0]).toHaveProperty('grammar');
});
