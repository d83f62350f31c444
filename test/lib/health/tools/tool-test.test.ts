import { checkServer } from '../../../../lib/health/check';
import type { CheckResult } from '../../../../lib/health/observations';
import type { FinishedAnswer } from '../../../../lib/chat/types';
import { CASES, judgeAnswer, TOOLS } from '../../../../lib/health/tools/cases';
import { testSpeed } from '../../../../lib/health/speed/speed-test';
import type { ModelToolTest } from '../../../../lib/health/tools/model-tool-test';
import {
	type ToolTestOptions,
	withToolTest,
	type WithToolTest,
} from '../../../../lib/health/tools/tool-test';
import { modelServerTarget } from '../../../../nodes/shared/health/target';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { useSimulator } from '../../../servers/use-simulator';
import { finding, ids, LIMITS, SESAME } from '../support';
import { type Answering, caseNamed, playModel, rightAnswer, WAYS_TO_FAIL } from './answers';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}

async function test(
	options: Partial<ToolTestOptions> = {},
	credential: object = {},
): Promise<WithToolTest<CheckResult>> {
	const target = modelServerTarget({ baseUrl: server.url, apiKey: SESAME, ...credential });
	return await withToolTest(target, await checkServer(target, LIMITS), {
		models: 'one',
		model: '',
		tries: 1,
		tokens: 500,
		limitMs: 60_000,
		...options,
	});
}

const generations = () =>
	server.requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.map(
			({ body }) =>
				body as {
					model: string;
					seed: number;
					tools: object[];
					max_tokens: number;
					messages: object[];
				},
		);

describe('a tool test', () => {
	it('of a model that does everything right: all cases pass, with what it took', async () => {
		await sim();
		playModel(server);
		const result = await test({ tries: 2 });
		expect(result.toolTest!.models).toMatchObject([
			{
				model: 'sim-model',
				passed: 20,
				tried: 20,
				notTried: 0,
				wrong: [],
				requests: 22,
				notes: [],
			},
		]);
		expect(
			result.toolTest!.models[0]!.cases.map((one) => [one.case, one.passed, one.tried]),
		).toEqual(CASES.map((one) => [one.case, 2, 2]));
		expect(result.toolTest!.models[0]!.tokensPerSecond).toBeGreaterThan(0);
		expect(result.toolTest!.models[0]!.generatedTokens).toBeGreaterThan(0);
		expect(result.summary).toMatch(
			/^sim-model: 20 of 20 tries with tools passed\. 22 requests, \d+ tokens of prompts, \d+ generated at [\d.]+ tokens\/s\.$/,
		);
		expect(ids(result)).not.toContain('toolsUnreliable');
		expect(result.status).toBe('healthy');
	});

	it('says before what it takes, and takes no more', async () => {
		await sim();
		playModel(server);
		const planned = await test({ tries: 3, tokens: 100, limitMs: 90_000, costOnly: true });
		expect(generations()).toEqual([]);
		expect(planned.toolTest).toEqual({
			cost: {
				models: ['sim-model'],
				requests: 33,
				generatedTokens: 3300,
				promptTokens: expect.any(Number) as number,
				seconds: 90,
			},
			models: [],
		});
		expect(planned.summary).toMatch(
			/^At most 33 requests, 3300 generated tokens, 90 s, and about \d+ tokens of prompts for a tool test of sim-model\.$/,
		);
		const { cost, models } = (await test({ tries: 3, tokens: 100 })).toolTest!;
		expect(generations()).toHaveLength(33);
		expect(models[0]!.requests).toBe(cost.requests);
		expect(new Set(generations().map((body) => body.max_tokens))).toEqual(new Set([100]));
		expect(new Set(generations().map(({ seed }) => seed))).toEqual(new Set([1, 2, 3]));
		for (const { tools } of generations()) expect(tools).toHaveLength(7);
	});

	it.each(WAYS_TO_FAIL)('%s: %p is %s', async (name, answer, problem, did, second = false) => {
		await sim();
		playModel(server, (one, isSecond) =>
			one.case === name && isSecond === second ? answer() : undefined,
		);
		const result = await test();
		const [tested] = result.toolTest!.models;
		expect(tested).toMatchObject({
			passed: 9,
			tried: 10,
			notTried: 0,
			wrong: [{ problem, times: 1 }],
		});
		const failed = tested!.cases.filter(({ passed }) => passed === 0);
		expect(failed).toMatchObject([{ case: name, tried: 1, wrong: [{ problem, times: 1 }] }]);
		expect(failed[0]!.wrong[0]!.did.startsWith(did)).toBe(true);
		expect(finding(result, 'toolsUnreliable')).toMatchObject({
			severity: 'warning',
			meaning: 'The model "sim-model" does not always call tools right, on this server',
			advice: expect.not.stringContaining('start llama-server'),
		});
		expect(result.status).toBe('healthy');
	});

	it.each<[string, Answering]>([
		['calls in any order', (one) => flipped(one.case)],
		[
			'keys in any order',
			(one) => (one.case === 'one of a list' ? light({ mode: 'dim', room: 'kitchen' }) : undefined),
		],
		['a number as text', (one) => (one.case === 'a number' ? heating('21.50') : undefined)],
		[
			'other composition of Unicode',
			(one) => (one.case === 'Unicode' ? message('Zoe\u0308') : undefined),
		],
		['text in front of a call', (one) => (one.case === 'one call' ? talking() : undefined)],
		['the quoted call quoted', (one) => (one.case === 'a quoted call' ? quoting() : undefined)],
		[
			'a call as text that the node reads',
			(one) => (one.case === 'one call' ? inText() : undefined),
		],
	])('%s: is right', async (_what, answering) => {
		await sim();
		playModel(server, answering);
		expect((await test()).toolTest!.models).toMatchObject([{ passed: 10, wrong: [] }]);
	});

	it('what the server failed in is not tried, with the reason, and says nothing of the model', async () => {
		await sim();
		playModel(server, (one) =>
			one.case === 'a number' ? reply.llamaError(500, 'Compute error.') : undefined,
		);
		const result = await test({ tries: 2 });
		expect(result.toolTest!.models).toMatchObject([{ passed: 18, tried: 18, notTried: 2 }]);
		expect(ids(result)).not.toContain('toolsUnreliable');
		expect(finding(result, 'toolsNotTried')).toMatchObject({
			meaning:
				'2 of 20 tries of the tool test brought no answer of the model "sim-model", so they say nothing about it',
			observed: expect.stringContaining('Compute error.') as string,
		});
	});

	it.each<[number, string, string, string]>([
		[401, 'Invalid API Key', 'unauthorized', 'unauthorized'],
		[403, 'You may not use this model', 'forbidden', 'unauthorized'],
		[404, 'model "sim-model" not found', 'modelNotFound', 'misconfigured'],
		[400, 'sim-model does not support tools', 'toolsUnsupported', 'misconfigured'],
		[
			400,
			'"auto" tool choice requires --enable-auto-tool-choice',
			'toolsUnsupported',
			'misconfigured',
		],
		[500, 'CUDA out of memory', 'serverError', 'degraded'],
		[501, 'Not Implemented', 'notSupported', 'misconfigured'],
		[503, 'Loading model', 'loading', 'loading'],
	])(
		'where every chat is refused with %i "%s" it is %s, with these words, as in a speed test',
		async (...refused) => {
			const [code, message, id, status] = refused;
			await sim();
			const refusal = reply.json({ error: { code, message, type: 'x' } }, { status: code });
			server.route('POST /v1/chat/completions', refusal);
			const target = modelServerTarget({ baseUrl: server.url, apiKey: SESAME });
			const limits = { firstTokenMs: 3000, totalMs: 3000, tokens: 8, atOnce: 1 };
			for (const result of [
				await test({ limitMs: 3000 }),
				await testSpeed(target, { model: '', ...limits, check: LIMITS }),
			]) {
				expect(result).toMatchObject({ status, healthy: false });
				expect(finding(result, id)).toMatchObject({ severity: 'error' });
				expect(finding(result, id).observed).toContain(message);
				expect(result.summary).toBe(`${finding(result, id).meaning}.`);
				expect(ids(result)).not.toContain('toolsNotTried');
			}
		},
	);

	it('ends with its time: what is left is not tried', async () => {
		await sim({ tokenDelayMs: 0 });
		playModel(server, (one) => (one.case === 'two calls at once' ? reply.silence() : undefined));
		const result = await test({ limitMs: 6_000, tries: 2 });
		const [{ passed, tried, notTried, requests }] = result.toolTest!.models as [ModelToolTest];
		// A slow machine gets through fewer of the two cases before the silence.
		expect(tried).toBeLessThanOrEqual(2);
		expect({ passed, notTried }).toEqual({ passed: tried, notTried: 20 - tried });
		expect(requests).toBeLessThanOrEqual(3);
		expect(ids(result)).toContain('toolsNotTried');
	});

	it('of all models that may chat, one after another', async () => {
		await sim({
			profile: 'ollama',
			models: [
				{ id: 'a:latest', tools: true },
				{ id: 'minilm:latest', embedding: true },
				{ id: 'plain:latest' },
				{ id: 'big:cloud', tools: true, remoteHost: 'https://ollama.com' },
				{ id: 'b:latest', tools: true },
			],
		});
		playModel(server, (one) => (one.case === 'one call' ? reply.text('Rain.') : undefined));
		const result = await test({ models: 'all' });
		expect(
			result.toolTest!.models.map(({ model, passed, tried }) => [model, passed, tried]),
		).toEqual([
			['a:latest', 9, 10],
			['plain:latest', 0, 0],
			['b:latest', 9, 10],
		]);
		expect(finding(result, 'toolsUnsupported')).toMatchObject({ severity: 'warning' });
		expect(finding(result, 'toolsUnsupported').observed).toContain(
			'plain:latest does not support tools',
		);
		expect(result.status).toBe('healthy');
		expect(result.toolTest!.cost).toMatchObject({
			models: ['a:latest', 'plain:latest', 'b:latest'],
			requests: 33,
		});
		expect(ids(result).filter((id) => id === 'toolsUnreliable')).toHaveLength(2);
	});

	it('is not made where the check says that it cannot work, nor where it is not clear which model is meant', async () => {
		await sim({ apiKey: 'another' });
		expect(await test()).toMatchObject({ status: 'unauthorized', toolTest: null });
		await sim({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		await expect(test()).rejects.toMatchObject({ kind: 'invalidInput' });
		expect(generations()).toEqual([]);
	});

	it('is cancelled at once', async () => {
		await sim();
		playModel(server, () => reply.silence());
		const abort = new AbortController();
		const tested = test({ signal: abort.signal });
		await server.until(() => generations().length > 0);
		abort.abort();
		await expect(tested).rejects.toMatchObject({ kind: 'aborted' });
	});

	it('never shows the key', async () => {
		await sim();
		playModel(server, () => reply.llamaError(500, `echo ${SESAME}`));
		expect(JSON.stringify(await test())).not.toContain(SESAME);
	});
});

const flipped = (name: string) =>
	name === 'two calls at once' ? reply.toolCalls([...caseNamed(name).calls].reverse()) : undefined;
const light = (args: object) => reply.toolCalls([{ name: 'set_light', arguments: args }]);
const heating = (celsius: unknown) =>
	reply.toolCalls([{ name: 'set_heating', arguments: { celsius } }]);
const message = (to: string) =>
	reply.toolCalls([{ name: 'send_message', arguments: { to, text: 'Grüße aus 東京 🎉' } }]);
const talking = () =>
	reply.toolCalls([...caseNamed('one call').calls], { text: 'Let me look that up. ' });
const quoting = () =>
	reply.text(
		'It calls a tool: `{"name": "read_file", "arguments": {"path": "notes.txt"}}` reads that file.',
	);
const inText = () =>
	reply.text('<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>');

it('what is right is right by its own rule', () => {
	for (const one of CASES) expect(rightAnswer(one, false)).toBeDefined();
});

it.each(['', '[]', 'null', '{"city": "Par'])(
	'arguments that are no object (%p) are wrong',
	(text) => {
		const [tool] = TOOLS;
		const toolCalls = [{ id: '1', index: 0, name: tool!.name, arguments: text }];
		const expected = [{ name: tool!.name, arguments: { city: 'Paris' } }];
		const answer = { toolCalls, finishReason: 'tool_calls' } as unknown as FinishedAnswer;
		expect(judgeAnswer(expected, answer)).toBe('wrongArguments');
	},
);

it.each([429, 503])(
	'a server that is busy (%d) gets no more requests than the cost has named',
	async (status) => {
		await sim();
		playModel(server, () => reply.llamaError(status, 'busy', 'unavailable_error'));
		const { toolTest } = await test({ tries: 2 });
		expect(toolTest!.models).toMatchObject([{ tried: 0, notTried: 20 }]);
		expect(generations().length).toBeLessThanOrEqual(toolTest!.cost.requests);
	},
);

it('a context that is known to be too small: says so with the tokens, and sends nothing', async () => {
	await sim({ nCtx: 256 });
	playModel(server);
	const result = await test({ tokens: 1024 });
	expect(generations()).toEqual([]);
	expect(result.toolTest!.models).toMatchObject([{ tried: 0, notTried: 10, requests: 0 }]);
	const { observed, meaning } = finding(result, 'contextOverflow');
	expect(observed).toBe('No request was sent');
	const [context, needed, required] = meaning.match(/\d+/g)!.map(Number);
	expect([context, required! - needed!]).toEqual([256, 1024]);
	expect(result).toMatchObject({ status: 'misconfigured', summary: `${meaning}.` });
});
