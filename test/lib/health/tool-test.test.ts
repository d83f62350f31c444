import type { ChatResult } from '../../../lib/chat/chat-result';
import { checkServer } from '../../../lib/health/check';
import { CASES, findToolProblem, addToolTest } from '../../../lib/health/tool-test';
import type { ToolTestOptions, ToolCheckResult } from '../../../lib/health/tool-test';
import { toCheckTarget } from '../../../lib/health/target';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import type { LlamaServerSim, SimOptions } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { finding, ids, LIMITS, SESAME } from './support';
import { caseNamed, playModel, WAYS_TO_FAIL } from './tool-answers';
import type { Answering } from './tool-answers';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}

async function test(options: Partial<ToolTestOptions> = {}): Promise<ToolCheckResult> {
	const target = toCheckTarget(
		'modelServer',
		{ baseUrl: server.url, apiKey: SESAME },
		NO_EXECUTION,
	);
	const health = await checkServer(target, LIMITS);
	return await addToolTest(target, health, {
		model: '',
		maxTokens: 500,
		timeoutMs: 60_000,
		...options,
	});
}

const generations = () =>
	server.requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.map(({ body }) => body as { seed: number; tools: object[]; max_tokens: number });

describe('a tool test', () => {
	it('of a model that responds correctly: eight cases in nine requests', async () => {
		await sim();
		playModel(server);
		const result = await test({ maxTokens: 100 });
		expect(result.toolTest).toMatchObject({
			model: 'sim-model',
			passed: 8,
			completed: 8,
			skipped: 0,
		});
		expect(result.toolTest!.cases.map((one) => one.case)).toEqual(CASES.map((one) => one.name));
		expect(result.toolTest!.cases[1]).toEqual({
			case: 'one call',
			question: 'What is the weather in "Paris" now?',
			called: 'get_weather({"city":"Paris"})',
			passed: true,
		});
		expect(result.summary).toBe('sim-model: 8 of 8 tool cases passed.');
		expect(ids(result)).not.toContain('toolsUnreliable');
		expect(result.status).toBe('healthy');
		expect(generations()).toHaveLength(9);
		for (const { tools, max_tokens: most, seed } of generations())
			expect([tools.length, most, seed]).toEqual([6, 100, 1]);
	});

	it.each(WAYS_TO_FAIL)('%s: %p is %s', async (name, answer, problem, called, second = false) => {
		await sim();
		playModel(server, (one, isSecond) =>
			one.name === name && isSecond === second ? answer() : undefined,
		);
		const result = await test();
		expect(result.toolTest).toMatchObject({ passed: 7, completed: 8, skipped: 0 });
		const failed = result.toolTest!.cases.filter(({ passed }) => !passed);
		expect(failed).toMatchObject([{ case: name, problem }]);
		expect(failed[0]!.called.slice(0, called.length)).toBe(called);
		expect(finding(result, 'toolsUnreliable')).toMatchObject({
			severity: 'warning',
			detail: 'The model "sim-model" does not always call tools correctly on this server',
			observed: expect.stringContaining(`7 of 8 passed; ${name}: `) as string,
		});
		expect(result.status).toBe('healthy');
	});

	it.each<[string, Answering]>([
		['calls in any order', ({ name }) => (name === TWO ? flipped() : undefined)],
		[
			'a number as text, and keys in another order',
			(one) => {
				if (one.name === 'a number')
					return reply.toolCalls([{ name: 'set_heating', arguments: { celsius: '21.5' } }]);
				if (one.name !== 'one of a list') return undefined;
				const args = { mode: 'dim', room: 'kitchen' };
				return reply.toolCalls([{ name: 'set_light', arguments: args }]);
			},
		],
	])('accepts as correct: %s', async (_name, answering) => {
		await sim();
		playModel(server, answering);
		expect((await test()).toolTest).toMatchObject({ passed: 8 });
	});

	it('a server that fails for one case: that case is skipped, without a finding about the model', async () => {
		await sim();
		playModel(server, (one) =>
			one.name === 'Unicode' ? reply.llamaError(500, 'Compute error.') : undefined,
		);
		const result = await test();
		expect(result.toolTest).toMatchObject({ passed: 7, completed: 7, skipped: 1 });
		expect(finding(result, 'toolTestIncomplete').observed).toContain('Compute error.');
		expect(result.status).toBe('healthy');
	});

	it('a server that fails for all cases is unhealthy, and the finding contains the server message', async () => {
		await sim();
		playModel(server, () => reply.llamaError(500, 'Compute error.'));
		const result = await test();
		expect(result).toMatchObject({ status: 'degraded', toolTest: { completed: 0, skipped: 8 } });
		expect(finding(result, 'serverError').observed).toContain('Compute error.');
	});

	it('a model that never calls a tool cannot be used with tools, and each case is reported when it ends', async () => {
		await sim();
		playModel(server, () => reply.text('Hello!'));
		const progress: string[] = [];
		const result = await test({
			onCase: ({ passed }, number) => void progress.push(`${number} ${passed}`),
		});
		expect(result).toMatchObject({
			status: 'misconfigured',
			toolTest: { passed: 1, completed: 8 },
		});
		expect(finding(result, 'toolsUnusable')).toMatchObject({
			severity: 'error',
			detail: 'The model "sim-model" cannot be used with tools: it passed 1 of 8 cases',
			observed: expect.stringContaining('one call: no tool was called') as string,
		});
		expect(ids(result)).not.toContain('toolsUnreliable');
		expect(progress).toHaveLength(8);
		expect(progress.slice(0, 2)).toEqual(['1 true', '2 false']);
	});

	it('a template without tool support: no case is completed, and the model cannot be used with tools', async () => {
		await sim({ template: 'strict' });
		const result = await test();
		expect(result).toMatchObject({
			status: 'misconfigured',
			toolTest: { completed: 0, skipped: 8 },
		});
		expect(ids(result)).toEqual(expect.arrayContaining(['toolsUnusable', 'modelLacksTools']));
		expect(generations()).toEqual([]);
	});

	it('whose time is up after the server failed is an outage with the first error', async () => {
		await sim();
		playModel(server, (one) =>
			reply.llamaError(500, one.name === CASES[0]!.name ? 'Compute error.' : 'Still broken.'),
		);
		const now = performance.now.bind(performance);
		let passedMs = 0;
		jest.spyOn(performance, 'now').mockImplementation(() => now() + passedMs);
		const result = await test({
			onCase: (_case, number) => void (passedMs = number < 2 ? 0 : 120_000),
		});
		jest.restoreAllMocks();
		expect(result).toMatchObject({ status: 'degraded', toolTest: { completed: 0, skipped: 8 } });
		expect(result.toolTest!.cases.at(-1)!.called).toBe('The test timed out');
		expect(finding(result, 'serverError').observed).toContain('Compute error.');
	});

	it('ends with its timeout', async () => {
		await sim();
		playModel(server);
		const result = await test({ timeoutMs: 0 });
		expect(result.toolTest).toMatchObject({ completed: 0, skipped: 8 });
		expect(finding(result, 'toolTestIncomplete').observed).toBe('The test timed out');
	});

	it('of an unhealthy server sends nothing', async () => {
		await sim({ apiKey: 'another' });
		const result = await test();
		expect(result).toMatchObject({ status: 'unauthorized' });
		expect(result).not.toHaveProperty('toolTest');
		expect(generations()).toEqual([]);
	});

	it('several models and none selected: an error that names them', async () => {
		await sim({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		await expect(test()).rejects.toMatchObject({
			type: 'invalidInput',
			message: 'The server has several models, and none is selected',
		});
	});
});

const TWO = 'two calls in one response';

function flipped() {
	return reply.toolCalls([...caseNamed(TWO).calls].reverse());
}

it('a truncated response never passes, whatever it contains', () => {
	const answer: Pick<ChatResult, 'toolCalls' | 'finishReason'> = {
		toolCalls: [],
		finishReason: 'length',
	};
	expect(findToolProblem([], answer)).toBe('truncated');
});
