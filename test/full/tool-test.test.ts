import { CASES, type ToolCheckResult } from '../../lib/health/tool-test';
import {
	llamaCredential,
	parts,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	type LlamaServer,
	type N8nServer,
	type ScriptedReply,
} from '../e2e/support/playground';
import { itemsOf } from '../e2e/support/run-examples';
import { workflowOf } from '../e2e/support/workflows';

let n8n: N8nServer;

beforeAll(async () => {
	n8n = await startN8n();
});
afterAll(stopEverything);

const written = (name: string, args: unknown) =>
	`<tool_call>\n{"name": "${name}", "arguments": ${typeof args === 'string' ? args : JSON.stringify(args)}}\n</tool_call>`;

/** Correct response of the model in each case. */
const RIGHT: ScriptedReply[] = CASES.flatMap(({ question, calls, followUp }) => {
	const toReplies = (some: typeof calls) =>
		some.length === 0
			? 'Hello, it is good to see you.'
			: some.map((one) => written(one.name, one.arguments)).join('\n');
	const first = { last: 'user' as const, contains: question, reply: toReplies(calls) };
	return followUp === undefined
		? [first]
		: [
				first,
				{ last: 'tool' as const, contains: followUp.result, reply: toReplies(followUp.calls) },
			];
});

/** Wrong responses, each with another mistake. */
const WRONG: Record<string, string> = {
	'no call needed': written('get_weather', { city: 'Bonn' }),
	'one call': 'It is sunny in Paris.',
	'two calls in one response': written('get_weather', { city: 'Oslo' }),
	'nested arguments': written('order_everything', { customer: 'Ada' }),
	'one of a list': written('set_light', { room: 'kitchen', mode: 'bright' }),
	'a number': written('set_heating', { celsius: 2.15 }),
	Unicode: written('send_message', { to: 'Zoe', text: 'Grusse aus Tokyo' }),
	'an error to recover from': 'I cannot read files.',
};

const scripted = async (replies: ScriptedReply[]) =>
	await startLlamaServer({
		model: await scriptedModel(replies, { contextLength: 8192 }),
		contextSize: 8192,
		parallel: 1,
		args: ['--metrics'],
	});

/** Runs the operation on this server. */
async function run(server: LlamaServer) {
	const { id, name } = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
	const workflow = workflowOf('Tools', {
		Start: { type: 'n8n-nodes-base.manualTrigger', to: ['Server Health'] },
		'Server Health': {
			type: 'CUSTOM.serverHealth',
			parameters: { operation: 'toolTest', options: { timeout: 15 } },
			credentials: { localLlamaApi: { id, name } },
		},
	});
	const execution = await n8n.waitForExecution(
		await n8n.runWorkflow(await n8n.createWorkflow(workflow), 'Start'),
	);
	expect(execution.status).toBe('success');
	const [item] = itemsOf(execution, 'Server Health') as unknown as ToolCheckResult[];
	return item!.toolTest!;
}

it('a model without mistakes', async () => {
	const server = await scripted(RIGHT);
	const tested = await run(server);
	expect(tested.cases.filter(({ passed }) => !passed)).toEqual([]);
	expect(tested).toMatchObject({ passed: 8, completed: 8 });
	await server.stop();
});

it('a model that fails in each way: each is named', async () => {
	const server = await scripted(
		RIGHT.map((one) => {
			const { name } = CASES.find(({ question }) => one.contains === question) ?? {};
			return name === undefined ? one : { ...one, reply: WRONG[name]! };
		}),
	);
	const tested = await run(server);
	expect(Object.fromEntries(tested.cases.map((one) => [one.case, one.problem]))).toMatchObject({
		'no call needed': 'unnecessaryCall',
		'one call': 'noCall',
		'two calls in one response': 'wrongCount',
		'one of a list': 'wrongArguments',
		'a number': 'wrongArguments',
		Unicode: 'wrongArguments',
		'an error to recover from': 'noCall',
	});
	expect(tested.passed).toBe(0);
	await server.stop();
});

it('SmolLM2, whose template does not support tools: no case runs, and the server stays healthy', async () => {
	const server = await startLlamaServer({
		model: parts().smolLm2,
		contextSize: 8192,
		parallel: 1,
		args: ['--metrics'],
	});
	const tested = await run(server);
	expect(tested).toMatchObject({ passed: 0, completed: 0, skipped: 8 });
	await server.stop();
});
