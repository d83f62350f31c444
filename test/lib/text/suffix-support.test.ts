/** Whether a server uses the suffix in Fill In: decided by its token counts; missing counts are no evidence. */
import type { ServerError } from '../../../lib/errors/server-error';
import { clearSharedCaches } from '../../../lib/lru-cache';
import { connectTo } from '../../../lib/servers/connect';
import { complete } from '../../../lib/text/complete';
import { json, type ScriptedServer, startScripted } from '../../servers/scripted';

type Body = Record<string, unknown>;

let server: ScriptedServer;
beforeEach(clearSharedCaches);
afterEach(async () => await server.close());

/** A server whose completions are as it says. */
async function serving(owner: string, answerTo: (body: Body) => [status: number, answer: unknown]) {
	server = await startScripted(({ path, body }, response) => {
		if (path === '/v1/models') return json(response, { data: [{ id: 'm', owned_by: owner }] });
		if (path !== '/v1/completions') return json(response, { detail: 'Not Found' }, 404);
		const [status, answer] = answerTo(body);
		json(response, answer, status);
	});
	return connectTo({ baseUrl: server.url });
}

const answer = (promptTokens?: number) => ({
	choices: [{ index: 0, text: 'x', finish_reason: 'stop' }],
	...(promptTokens === undefined
		? {}
		: { usage: { prompt_tokens: promptTokens, completion_tokens: 1 } }),
});
const asked = () =>
	server.requests.filter(({ path }) => path === '/v1/completions').map(({ body }) => body);
const length = (text: unknown) => (typeof text === 'string' ? text.length : 0);

async function fillIn(connection: ReturnType<typeof connectTo>, suffix = '\nprint(add(1, 2))\n') {
	const task = { prefix: 'def add(a, b):\n    return ', suffix, beginning: '', extra: [] };
	const generation = complete(
		connection,
		{ model: 'm', parameters: {}, limits: {}, retries: 0 },
		task,
	);
	for (;;) {
		const { value, done } = await generation.next();
		if (done) return value;
	}
}

const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => Promise.reject(new Error('no failure')),
		(error: unknown) => error as ServerError,
	);

/** Tokens of so many characters, and what a server puts around a prompt. */
const COUNTS: Array<[tokenizer: string, perToken: number, around: number]> = [
	['bytes', 1, 1],
	['a large vocabulary', 2.5, 2],
	['the largest', 3.9, 0],
	['a template of chats', 2, 50],
];

describe.each(['nobody', 'sglang', 'lmdeploy', 'vllm'])('owned by %s', (owner) => {
	it.each(COUNTS)(
		'one that ignores it, %s: nothing is generated but one token, once',
		async (_what, perToken, around) => {
			const connection = await serving(owner, ({ prompt }) => [
				200,
				answer(Math.ceil(length(prompt) / perToken) + around),
			]);
			for (let round = 0; round < 2; round++)
				expect(await failureOf(fillIn(connection))).toMatchObject({
					kind: 'notSupported',
					meaning: expect.stringContaining('ignores the one behind') as string,
				});
			expect(asked().map(({ max_tokens: most }) => most)).toEqual([1]);
		},
	);

	it.each(COUNTS)('one that reads it, %s', async (_what, perToken, around) => {
		const connection = await serving(owner, ({ prompt, suffix }) => [
			200,
			answer(Math.ceil((length(prompt) + length(suffix)) / perToken) + around),
		]);
		for (let round = 0; round < 2; round++)
			expect(await fillIn(connection)).toMatchObject({ text: 'x', notes: [] });
		expect(asked()).toHaveLength(3);
	});

	it.each([
		['none', answer()],
		['zero', answer(0)],
	])('one that counts %s: it is said that it is not known', async (_what, told) => {
		const connection = await serving(owner, () => [200, told]);
		expect((await fillIn(connection)).notes).toEqual([expect.stringContaining('not known')]);
	});

	it.each([
		['vLLM', 'suffix is only supported for models with FIM completion rendering'],
		['vLLM before 0.30', 'suffix is not currently supported'],
		['TGI', 'Suffix is not supported and can be achieved by preprocessing the prompt.'],
	])('%s refuses it', async (_who, message) => {
		const connection = await serving(owner, ({ suffix }) =>
			suffix === undefined
				? [200, answer(5)]
				: [400, { error: { message, type: 'BadRequestError' } }],
		);
		expect(await failureOf(fillIn(connection))).toMatchObject({
			kind: 'notSupported',
			status: 400,
		});
	});

	it('a server that loads when it is asked first loses nothing', async () => {
		let requests = 0;
		const connection = await serving(owner, ({ suffix }) =>
			++requests === 1
				? [503, { error: { message: 'Loading model' } }]
				: [200, answer(10 + length(suffix))],
		);
		expect(await fillIn(connection)).toMatchObject({ text: 'x', notes: [] });
	});

	it('without a suffix, nothing is checked', async () => {
		const connection = await serving(owner, () => [200, answer(5)]);
		expect(await fillIn(connection, '')).toMatchObject({ text: 'x', notes: [] });
		expect(asked()).toHaveLength(1);
	});
});

it.each<[string, unknown, 'ignored' | 'read' | 'unknown']>([
	['a count as text', { prompt_tokens: '3' }, 'ignored'],
	['the names of another API', { input_tokens: 3, output_tokens: 1 }, 'ignored'],
	['the total only', { total_tokens: 4 }, 'unknown'],
	['null', { prompt_tokens: null }, 'unknown'],
	['a number below zero', { prompt_tokens: -1 }, 'unknown'],
	['many', { prompt_tokens: 180 }, 'read'],
	['a list', [], 'unknown'],
])('usage with %s', async (_what, usage, use) => {
	const connection = await serving('nobody', () => [200, { ...answer(), usage }]);
	if (use === 'ignored')
		await expect(fillIn(connection)).rejects.toMatchObject({ kind: 'notSupported' });
	else expect((await fillIn(connection)).notes).toHaveLength(use === 'unknown' ? 1 : 0);
});
