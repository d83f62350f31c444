import { reply } from '../../../servers/llama-server';
import { useLocalLlama } from '../run-node';

const { serve, prepare, executeIn, execute, json, failure, sent } = useLocalLlama();
const PROMPT =
	'<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n';
const op = (operation: string, more: object = {}) => ({ resource: 'token', operation, ...more });

describe('Tokenize', () => {
	it('gives tokens and their number; pieces where they are asked for', async () => {
		await serve();
		expect(await json(op('tokenize', { text: 'Hi' }))).toEqual({ tokens: [72, 105], count: 2 });
		expect(await json(op('tokenize', { text: 'H', options: { withPieces: true } }))).toEqual({
			tokens: [72],
			count: 1,
			pieces: [{ id: 72, piece: 'H' }],
		});
	});

	it('says where an older server tells no pieces', async () => {
		const sim = await serve();
		sim.route('POST /tokenize', reply.json({ tokens: [72] }));
		const fake = prepare({
			parameters: op('tokenize', { text: 'H', options: { withPieces: true } }),
		});
		await executeIn(fake);
		expect(fake.hints.map(({ message }) => message)).toEqual([
			'This server does not tell the texts of the tokens, so there are no pieces.',
		]);
	});

	it('names the model: after a chat, a router is known by the headers of any llama-server only', async () => {
		await serve({ profile: 'router', models: [{ id: 'sim-model', status: 'loaded' }] });
		await json({ resource: 'text', operation: 'chat', prompt: 'Hi' });
		expect(await json(op('tokenize', { text: 'Hi' }))).toEqual({ tokens: [72, 105], count: 2 });
		expect(sent('/tokenize')).toMatchObject([{ model: 'sim-model' }]);
	});

	it('takes marks in a text for text, unless told otherwise', async () => {
		await serve();
		const text = '<|im_start|>user';
		expect((await json(op('tokenize', { text }))).count).toBe(16);
		expect((await json(op('tokenize', { text, options: { parseSpecial: true } }))).count).toBe(5);
	});

	it('gives an item for each text of a list', async () => {
		await serve();
		const items = await execute({ parameters: op('tokenize', { text: ['a', 'bc', 5] }) });
		expect(items.map((item) => item.json.count)).toEqual([1, 2, 1]);
		expect(items.map(({ pairedItem }) => pairedItem)).toEqual(Array(3).fill({ item: 0 }));
	});

	it('names the entry of a list that is no text', async () => {
		await serve();
		const failed = await failure(op('tokenize', { text: ['a', { b: 1 }] }));
		expect(failed.message).toContain('holds no text at place 2');
		expect(sent('/tokenize')).toEqual([]);
	});
});

describe('Detokenize', () => {
	it.each([[[72, 105]], ['[72, 105]'], ['72, 105'], [['72', '105']]])(
		'takes tokens as %j',
		async (tokens) => {
			await serve();
			expect(await json(op('detokenize', { tokens }))).toEqual({ text: 'Hi', count: 2 });
		},
	);

	it('names what is no number', async () => {
		await serve();
		expect((await failure(op('detokenize', { tokens: [72, 'x'] }))).message).toContain(
			'"Tokens: 2" must be',
		);
		expect(sent('/detokenize')).toEqual([]);
	});

	it('names a field whose expression gives nothing', async () => {
		await serve();
		expect((await failure(op('detokenize', { tokens: null }))).message).toBe(
			'The field "Tokens" is empty',
		);
	});
});

describe('Count', () => {
	it('counts a text, and a conversation with what the template adds', async () => {
		await serve();
		expect(await json(op('count', { counted: 'text', text: 'four' }))).toEqual({
			tokens: 4,
			exact: true,
		});
		expect(
			await json(op('count', { counted: 'chat', messageSource: 'prompt', prompt: 'hi' })),
		).toEqual({
			tokens: PROMPT.length,
			exact: true,
		});
	});

	it('estimates on Ollama, and says so', async () => {
		await serve({ profile: 'ollama' });
		const fake = prepare({ parameters: op('count', { counted: 'text', text: 'twelve chars' }) });
		const [item] = await executeIn(fake);
		expect(item!.json).toEqual({ tokens: 3, exact: false });
		expect(fake.hints.map(({ message }) => message)).toEqual([
			expect.stringContaining('an estimate'),
		]);
	});

	it('hands on tools', async () => {
		await serve();
		const tools = [
			{ type: 'function', function: { name: 'get_time', parameters: { type: 'object' } } },
		];
		const options = {
			tools: JSON.stringify(tools),
			templateArguments: '{"enable_thinking":false}',
		};
		await json(op('count', { counted: 'chat', messageSource: 'prompt', prompt: 'hi', options }));
		expect(sent('/input_tokens')[0]).toMatchObject({
			tools,
			chat_template_kwargs: { enable_thinking: false },
		});
	});
});

test('Apply Template shows the prompt', async () => {
	await serve();
	const messagesJson = '[{"role":"user","content":"hi"}]';
	expect(await json(op('applyTemplate', { messageSource: 'json', messagesJson }))).toEqual({
		prompt: PROMPT,
	});
});

test('a server that has no such route is told by name', async () => {
	const sim = await serve({ profile: 'ollama' });
	sim.route('POST /tokenize', reply.json({ tokens: [1] }));
	expect((await failure(op('tokenize', { text: 'Hi' }))).message).toBe(
		'Ollama does not tell the tokens of a text',
	);
});
