import { chromium as playwright } from 'playwright-core';

import { CASES } from '../../lib/health/tools/cases';
import type { ModelToolTest } from '../../lib/health/tools/model-tool-test';
import type { WithToolTest } from '../../lib/health/tools/tool-test';
import { elements } from '../lib/health/report/support';
import { fs, path, process } from '../support/node';
import {
	chromium,
	llamaCredential,
	parts,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	workFolder,
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

/** Correct answer of the model in each case. */
const RIGHT: ScriptedReply[] = CASES.flatMap(({ question, calls, then }) => {
	const said = (some: typeof calls) =>
		some.length === 0
			? 'Hello, it is good to see you.'
			: some.map((one) => written(one.name, one.arguments)).join('\n');
	const first = { last: 'user' as const, contains: question, reply: said(calls) };
	return then === undefined
		? [first]
		: [first, { last: 'tool' as const, contains: then.result, reply: said(then.calls) }];
});

/** Wrong answers, each with another mistake. */
const WRONG: Record<string, string> = {
	'no call needed': written('get_weather', { city: 'Bonn' }),
	'one call': 'It is sunny in Paris.',
	'two calls at once': written('get_weather', { city: 'Oslo' }),
	'nested arguments': written('order_everything', { customer: 'Ada' }),
	'one of a list': written('set_light', { room: 'kitchen', mode: 'bright' }),
	'a number': written('set_heating', { celsius: 2.15 }),
	Unicode: written('send_message', { to: 'Zoe', text: 'Grusse aus Tokyo' }),
	'an error to recover from': 'I cannot read files.',
	'thinking before the call': '<think>\nSo it is 08:10.\n</think>\n\n',
	'a quoted call': written('read_file', { path: 'notes.txt' }),
};

const scripted = async (replies: ScriptedReply[]) =>
	await startLlamaServer({
		model: await scriptedModel(replies, { contextLength: 8192 }),
		contextSize: 8192,
		parallel: 1,
		args: ['--metrics'],
	});

/** Runs the operation on this server. @returns its item, with its file */
async function run(server: LlamaServer, parameters: object) {
	const { id, name } = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
	const workflow = workflowOf('Tools', {
		Start: { type: 'n8n-nodes-base.manualTrigger', to: ['Server Health'] },
		'Server Health': {
			type: 'CUSTOM.serverHealth',
			parameters: { operation: 'toolTest', options: { timeLimit: 15 }, ...parameters },
			credentials: { localLlamaApi: { id, name } },
		},
	});
	const execution = await n8n.waitForExecution(
		await n8n.runWorkflow(await n8n.createWorkflow(workflow), 'Start'),
	);
	expect(execution.status).toBe('success');
	const [item] = itemsOf(execution, 'Server Health') as unknown as Array<
		WithToolTest<{ summary: string }>
	>;
	return { item: item!, execution };
}

/** Texts of elements that overflow, and of charts with parts outside. */
const CUT_OFF = `[...document.querySelectorAll('main *')].filter((one) => {
	const plot = one.closest('svg');
	if (plot === null) return one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1;
	const [own, around] = [one.getBoundingClientRect(), plot.getBoundingClientRect()];
	return own.left < around.left - 1 || own.right > around.right + 1;
}).map((one) => one.textContent)`;

/** Picture for the documents: the part about tools. On a phone nothing of it is cut off. */
async function picture(page: string): Promise<void> {
	const file = path.join(workFolder('report'), 'report.html');
	fs.writeFileSync(file, page);
	const { executablePath, args } = chromium();
	const browser = await playwright.launch({ executablePath, args, timeout: 180_000 });
	const tab = await browser.newPage({
		viewport: { width: 760, height: 620 },
		deviceScaleFactor: 1.5,
	});
	await tab.goto(`file://${file}`);
	expect(await tab.locator('svg.bar').count()).toBe(CASES.length);
	await tab.evaluate(
		"[...document.querySelectorAll('h3')].find((one) => one.textContent === 'Tools').scrollIntoView()",
	);
	const shot = await tab.screenshot({ animations: 'disabled' });
	const pictures = process.env.LOCAL_LLAMA_PICTURES;
	for (const folder of [workFolder('pictures'), ...(pictures ? [pictures] : [])])
		fs.writeFileSync(path.join(folder, 'tool-test.png'), shot);
	for (const colorScheme of ['light', 'dark'] as const) {
		const phone = await browser.newPage({ viewport: { width: 375, height: 700 }, colorScheme });
		await phone.goto(`file://${file}`);
		expect(await phone.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(375);
		expect(await phone.evaluate(CUT_OFF)).toEqual([]);
	}
	await browser.close();
}

it('names the cost, then tests a model that does everything right', async () => {
	const server = await scripted(RIGHT);
	const plan = await run(server, { costOnly: true });
	expect(plan.item.toolTest).toMatchObject({
		cost: { models: ['test-model'], requests: 22, generatedTokens: 22 * 1024, seconds: 600 },
		models: [],
	});
	expect((await server.slots()).every((slot) => !('id_task' in slot))).toBe(true);
	const { item } = await run(server, {});
	const [tested] = item.toolTest!.models as [ModelToolTest];
	expect({ passed: tested.passed, tried: tested.tried, wrong: tested.wrong }).toEqual({
		passed: 20,
		tried: 20,
		wrong: [],
	});
	expect(tested.requests).toBe(22);
	// The estimate is close to the server's count.
	expect(tested.promptTokens).toBeGreaterThan(0);
	await server.stop();
});

it('a model that fails in each way: each is named', async () => {
	const server = await scripted(
		RIGHT.map((one) => {
			const { case: name } = CASES.find(({ question }) => one.contains === question) ?? {};
			return name === undefined ? one : { ...one, reply: WRONG[name]! };
		}),
	);
	const { item } = await run(server, { tries: 1 });
	const [tested] = item.toolTest!.models as [ModelToolTest];
	expect(Object.fromEntries(tested.cases.map((one) => [one.case, one.wrong[0]?.problem]))).toEqual({
		'no call needed': 'needlessCall',
		'one call': 'noCall',
		'two calls at once': 'wrongCount',
		'nested arguments': 'wrongTool',
		'one of a list': 'wrongArguments',
		'a number': 'wrongArguments',
		Unicode: 'wrongArguments',
		'an error to recover from': 'noCall',
		'thinking before the call': 'noAnswer',
		'a quoted call': 'needlessCall',
	});
	expect(tested).toMatchObject({ passed: 0, tried: 10, notTried: 0 });
	await server.stop();
});

it('SmolLM2, a real small model: what passed and what went wrong, in the item and in a report', async () => {
	const server = await startLlamaServer({
		model: parts().smolLm2,
		contextSize: 8192,
		parallel: 1,
		args: ['--metrics'],
	});
	const { id, name } = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
	const workflow = workflowOf('Tools report', {
		Start: {
			type: 'n8n-nodes-base.webhook',
			typeVersion: 2,
			parameters: {
				path: 'tools-report',
				httpMethod: 'GET',
				responseMode: 'lastNode',
				responseData: 'firstEntryBinary',
				responseBinaryPropertyName: 'data',
				options: {},
			},
			webhookId: 'tools-report',
			to: ['Report'],
		},
		Report: {
			type: 'CUSTOM.serverHealth',
			parameters: {
				operation: 'report',
				title: 'Tools',
				atOnce: 1,
				tokens: 16,
				testTools: true,
				options: { timeLimit: 15 },
			},
			credentials: { localLlamaApi: { id, name } },
		},
	});
	const { id: workflowId } = await n8n.createWorkflow(workflow);
	await n8n.activate(workflowId);
	const page = await (await n8n.webhook('tools-report', { method: 'GET' })).text();
	elements(page);
	for (const part of ['tries with tools passed', 'a quoted call', 'What went wrong'])
		expect(page).toContain(part);
	await picture(page);
	// n8n may store the end of the execution after the answer.
	const [started] = await n8n.listExecutions({ workflowId });
	const execution = await n8n.waitForExecution(started!.id);
	expect(execution.status).toBe('success');
	const [item] = itemsOf(execution, 'Report') as unknown as Array<WithToolTest<object>>;
	const [tested] = item!.toolTest!.models as [ModelToolTest];
	expect(tested.tried).toBe(20);
	expect(tested.passed).toBeLessThan(20);
	// Its template does not support tools, which the chat model reports.
	expect(tested.notes.join(' ')).toContain('tools');
	expect(tested.requests).toBeLessThanOrEqual(22);
	expect(tested.generatedTokens).toBeLessThanOrEqual(22 * 1024);
	expect(tested.tokensPerSecond).toBeGreaterThan(0);
	await server.stop();
});
