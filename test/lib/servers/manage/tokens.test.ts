import { learnFromHeaders } from '../../../../lib/servers/identify';
import fc from 'fast-check';

import { connectTo } from '../../../../lib/servers/connect';
import {
	countTokens,
	detokenize,
	estimateTokens,
	tokenize,
} from '../../../../lib/servers/manage/tokens';
import { tokensIn } from '../../../../lib/servers/kinds/token-lists';
import { recordedExchanges } from '../../../servers/model-recordings/exchange';
import { reply, type SimOptions, startLlamaServerSim } from '../../../servers/llama-server';
import { useSimulator } from '../../../servers/use-simulator';
import { examples } from '../../../support/properties';

const start = useSimulator(startLlamaServerSim);

async function server(options: SimOptions = {}) {
	const sim = await start(options);
	return { sim, connection: connectTo({ baseUrl: sim.url }) };
}
const ASK = { model: 'sim-model', addSpecial: false, parseSpecial: false, withPieces: false };
const bodies = (sim: Awaited<ReturnType<typeof start>>, path: string) =>
	sim.requests
		.filter((request) => request.path.endsWith(path))
		.map(({ path: at, body }) => [at, body]);

describe('llama-server', () => {
	it('takes marks of the template in a text for text, unless they are meant', async () => {
		const { connection } = await server();
		const plain = await tokenize(connection, '<|im_start|>user', ASK);
		const meant = await tokenize(connection, '<|im_start|>user', { ...ASK, parseSpecial: true });
		expect([plain.tokens.length, meant.tokens.length]).toEqual([16, 5]);
	});

	it('gives pieces of v0.5.0: bytes of half a character come as hexadecimal', () => {
		const recorded = recordedExchanges('llama-server-v0.5.0/tokens').find(
			({ name }) => name === 'tokenize-pieces',
		)!;
		const { tokens, pieces } = tokensIn(JSON.parse(recorded.answer.text!), true)!;
		expect(tokens).toEqual([26843, 15107, 116, 243, 5549, 137]);
		expect(pieces!.slice(0, 3)).toEqual([
			{ id: 26843, piece: 'Hi' },
			{ id: 15107, bytes: '20f09f' },
			{ id: 116, bytes: 'a6' },
		]);
	});

	it('makes the same text of the tokens of a text', async () => {
		const { connection } = await server();
		for (const text of ['Hi 🦙 ü', '<|im_end|>', ' two  blanks ', '']) {
			const { tokens } = await tokenize(connection, text, ASK);
			expect(await detokenize(connection, tokens, ASK)).toBe(text);
		}
	});

	it('refuses what is no token before it asks', async () => {
		const { sim, connection } = await server();
		for (const wrong of [-1, 1.5, NaN])
			await expect(detokenize(connection, [1, wrong], ASK)).rejects.toMatchObject({
				kind: 'invalidInput',
				message: expect.stringContaining('Token 2 is') as string,
			});
		expect(bodies(sim, '/detokenize')).toEqual([]);
	});

	it.each([
		[
			'GNU',
			undefined,
			'The number 999999999 is not a token of this model, whose last one is 49151',
		],
		['LLVM', reply.llamaError(500, 'vector'), 'One of the numbers is not a token of this model'],
	])(
		'says of a number beyond the vocabulary what it is (%s)',
		async (_library, answer, meaning) => {
			const { sim, connection } = await server();
			sim.route('POST /detokenize', answer);
			await expect(detokenize(connection, [1, 999_999_999], ASK)).rejects.toMatchObject({
				kind: 'badRequest',
				meaning,
			});
		},
	);

	it('is retried while it loads', async () => {
		const { sim, connection } = await server();
		sim.route('POST /tokenize', () =>
			bodies(sim, '/tokenize').length > 1 ? undefined : reply.loading(),
		);
		expect((await tokenize(connection, 'Hi', ASK)).tokens).toHaveLength(2);
	});

	it('that is too old for the route is reported as such', async () => {
		const { sim, connection } = await server();
		sim.route('POST /tokenize', reply.error(404, { error: { message: 'File Not Found' } }));
		await expect(tokenize(connection, 'Hi', ASK)).rejects.toMatchObject({ kind: 'notSupported' });
		expect(await countTokens(connection, 'Hi there', ASK)).toEqual({ tokens: 2, exact: false });
	});

	it.each([[{ tokens: 'x' }], [[1]], [{ tokens: [{ piece: 'x' }] }], [{ info: 'no' }]])(
		'that answers %j is not understood',
		async (json) => {
			const { sim, connection } = await server();
			sim.route('POST /tokenize', reply.json(json));
			await expect(tokenize(connection, 'Hi', ASK)).rejects.toMatchObject({
				kind: 'invalidAnswer',
			});
		},
	);
});

describe('other servers', () => {
	it('a router gets the model in the body, llama-swap in the path', async () => {
		const router = await server({ profile: 'router' });
		await tokenize(router.connection, 'Hi', ASK);
		expect(bodies(router.sim, '/tokenize')).toEqual([
			['/tokenize', expect.objectContaining({ model: 'sim-model' })],
		]);
		const swap = await server({ profile: 'llama-swap' });
		swap.sim.route('POST /upstream/team/a%20b/tokenize', reply.json({ tokens: [7] }));
		expect(await tokenize(swap.connection, 'Hi', { ...ASK, model: 'team/a b' })).toEqual({
			tokens: [7],
		});
	});

	it.each(['router', 'llama-swap'] as const)(
		'%s: without a model the loaded one counts, and of several they are named',
		async (profile) => {
			const { sim, connection } = await server({ profile });
			const models = (...states: string[]) =>
				reply.json({
					data: states.map((value, at) => ({
						id: `m${at}`,
						owned_by: profile === 'router' ? 'llamacpp' : 'llama-swap',
						status: { value },
					})),
				});
			sim.route('GET /v1/models', models('unloaded', 'unloaded'));
			await expect(tokenize(connection, 'Hi', { ...ASK, model: ' ' })).rejects.toMatchObject({
				message: 'The server has several models, and none is chosen',
				remedy: expect.stringContaining('m0, m1') as string,
			});
			sim.route('GET /v1/models', models('unloaded', 'loaded'));
			sim.route('POST /upstream/m1/tokenize', reply.json({ tokens: [7] }));
			sim.route('POST /tokenize', ({ body }) =>
				reply.json({ tokens: [(body as { model: string }).model === 'm1' ? 7 : 0] }),
			);
			expect(await tokenize(connection, 'Hi', { ...ASK, model: '' })).toEqual({ tokens: [7] });
		},
	);

	it('llama-swap is asked at its own routes, also after an answer with the header of the server behind it', async () => {
		const { sim, connection } = await server({ profile: 'llama-swap' });
		learnFromHeaders(connection, { server: 'llama.cpp' }, 'm');
		sim.route('POST /upstream/m/tokenize', reply.json({ tokens: [7] }));
		expect(await tokenize(connection, 'Hi', { ...ASK, model: 'm' })).toEqual({ tokens: [7] });
	});

	it('vLLM is asked in its own form', async () => {
		const { sim, connection } = await server({ profile: 'vllm' });
		sim.route(
			'POST /tokenize',
			reply.json({ count: 2, max_model_len: 8, tokens: [5, 6], token_strs: ['H', 'i'] }),
		);
		sim.route('POST /detokenize', reply.json({ prompt: 'Hi' }));
		expect(await tokenize(connection, 'Hi', { ...ASK, withPieces: true })).toEqual({
			tokens: [5, 6],
			pieces: [
				{ id: 5, piece: 'H' },
				{ id: 6, piece: 'i' },
			],
		});
		expect(await detokenize(connection, [5, 6], ASK)).toBe('Hi');
		expect(bodies(sim, 'tokenize')).toEqual([
			[
				'/tokenize',
				{ model: 'sim-model', prompt: 'Hi', add_special_tokens: false, return_token_strs: true },
			],
			['/detokenize', { model: 'sim-model', tokens: [5, 6] }],
		]);
	});

	it('a server of unknown kind is read by the shape of its answer, and asked in both forms', async () => {
		const { sim, connection } = await server({ profile: 'fastapi' });
		sim.route('POST /tokenize', reply.json({ count: 3, max_model_len: 8, tokens: null }));
		expect(await countTokens(connection, 'Hi you', ASK)).toEqual({ tokens: 3, exact: true });
		await expect(tokenize(connection, 'Hi you', ASK)).rejects.toMatchObject({
			kind: 'invalidAnswer',
		});
		const withPieces = true;
		const read = { tokens: [5], pieces: [{ id: 5, piece: 'H' }] };
		for (const json of [
			{ count: 1, tokens: [5], token_strs: ['H'] },
			{ count: 1, token_ids: [5], tokens: ['H'] },
			{ tokens: [{ id: 5, piece: 'H' }] },
		]) {
			sim.route('POST /tokenize', reply.json(json));
			expect(await tokenize(connection, 'H', { ...ASK, withPieces })).toEqual(read);
			expect(await countTokens(connection, 'H', ASK)).toEqual({ tokens: 1, exact: true });
		}
		expect(bodies(sim, 'tokenize')[0]![1]).toMatchObject({
			content: 'Hi you',
			prompt: 'Hi you',
			model: 'sim-model',
		});
		for (const json of [
			{ prompt: 'Hi' },
			{ content: 'Hi' },
			{ text: 'Hi' },
			{ prompt: 'Hi', tokens: [5, 6] },
		]) {
			sim.route('POST /detokenize', reply.json(json));
			expect(await detokenize(connection, [5, 6], ASK)).toBe('Hi');
		}
	});

	it('Text Embeddings Inference too', async () => {
		const { sim, connection } = await server({ profile: 'fastapi' });
		sim.route('GET /v1/models', reply.error(404, ''));
		sim.route(
			'GET /info',
			reply.json({ model_id: 'bge', model_type: { embedding: {} }, max_client_batch_size: 32 }),
		);
		sim.route(
			'POST /tokenize',
			reply.json([[{ id: 101, text: '[CLS]', special: true, start: null, stop: null }]]),
		);
		sim.route('POST /decode', reply.json(['hi']));
		expect(
			await tokenize(connection, 'Hi', { ...ASK, addSpecial: true, withPieces: true }),
		).toEqual({
			tokens: [101],
			pieces: [{ id: 101, piece: '[CLS]' }],
		});
		expect(await detokenize(connection, [101], ASK)).toBe('hi');
		// It refuses both.
		sim.route(
			'POST /tokenize',
			reply.error(422, '`inputs` must have less than 64000 characters. Given: 80000'),
		);
		expect(await countTokens(connection, '', ASK)).toEqual({ tokens: 0, exact: true });
		const long = { tokens: 20_000, exact: false };
		expect(await countTokens(connection, 'a'.repeat(80_000), ASK)).toEqual(long);
	});

	it('Ollama tells no tokens: no request, and the count is an estimate', async () => {
		const { sim, connection } = await server({ profile: 'ollama' });
		expect(await countTokens(connection, 'twelve chars', ASK)).toEqual({ tokens: 3, exact: false });
		await expect(tokenize(connection, 'Hi', ASK)).rejects.toMatchObject({
			kind: 'notSupported',
			message: 'Ollama does not tell the tokens of a text',
		});
		expect(sim.requests.filter(({ method }) => method === 'POST')).toEqual([]);
	});

	it('a server that fails is no reason for an estimate', async () => {
		const { sim, connection } = await server();
		sim.route('POST /tokenize', reply.error(500, { error: 'broken' }));
		await expect(countTokens(connection, 'Hi', ASK)).rejects.toMatchObject({ kind: 'serverError' });
	});
});

test('an estimate is whole, not negative, and grows with the text', () => {
	expect([estimateTokens(''), estimateTokens('你好，世界'), estimateTokens('four')]).toEqual([
		0, 5, 1,
	]);
	fc.assert(
		fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
			const whole = estimateTokens(one + other);
			expect(Number.isInteger(whole) && whole >= 0).toBe(true);
			expect(whole).toBeLessThanOrEqual(estimateTokens(one) + estimateTokens(other));
		}),
	);
});

test.each([
	['', 0],
	['Hello, how are you today?', 7],
	['今天天气很好', 6],
	['Qwen 通义', 4],
])('the estimate of %j is about %i tokens', (text, tokens) => {
	expect(estimateTokens(text)).toBe(tokens);
});

test('the estimate of a long text is about that of its parts together', () => {
	expect(estimateTokens('a'.repeat(4_000_000))).toBe(1_000_000);
	expect(estimateTokens('今天'.repeat(2_000_000))).toBe(4_000_000);
	const part = fc.constantFrom('今天天气很好', 'Hello, how are you? ', '한국어 ');
	fc.assert(
		fc.property(fc.array(part, { minLength: 1, maxLength: 9 }), (parts) => {
			const text = parts.join('');
			const times = Math.ceil(100_000 / text.length);
			const share = estimateTokens(text.repeat(times)) / (estimateTokens(text) * times);
			expect(share).toBeGreaterThan(0.8);
			expect(share).toBeLessThan(1.05);
		}),
		examples(50),
	);
});

test('any JSON in place of tokens is tokens or nothing', () => {
	fc.assert(
		fc.property(fc.jsonValue(), (json) => {
			const read = tokensIn({ tokens: json }, true);
			if (read !== undefined)
				expect(read.tokens.every((token) => typeof token === 'number')).toBe(true);
		}),
	);
});
