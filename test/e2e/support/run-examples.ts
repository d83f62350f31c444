/** Shared by the suites of the example workflows: n8n, servers, and functions to start workflows. */
import { appKey, startDifySim } from '../../simulators/dify';
import type { DifySim, DifySimOptions } from '../../simulators/dify';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import type { LlamaServerSim, ScriptedCall, SimOptions } from '../../simulators/llama-server';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import process from 'node:process';
import { parameterProblems } from '../../support/n8n/workflow-check';
import type { Description } from '../../support/n8n/workflow-check';
import { example } from './examples';
import type { Named, Wiring } from './examples';
import {
	llamaCredential,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	theSharedN8n,
} from './playground';
import type {
	ChatLine,
	Execution,
	GateN8n,
	LlamaServer,
	N8nClient,
	N8nServer,
	ScriptedReply,
	StartN8nOptions,
	Workflow,
} from './playground';
import { until } from './until';

/** The n8n of the suite. */
let n8n: N8nClient;
const closing: Array<() => Promise<void>> = [];

/** Calls `close` after the test. */
export const after = (close: () => Promise<unknown>): void =>
	void closing.push(async () => void (await close()));
export const theN8n = (): N8nClient => n8n;

/** Starts an n8n for the suite. */
export async function startTheN8n(options: Partial<StartN8nOptions> = {}): Promise<N8nServer> {
	const server = await startN8n(options);
	n8n = server;
	return server;
}

/** Uses the n8n of all suites. */
export async function shareN8n(): Promise<GateN8n> {
	const shared = await theSharedN8n();
	n8n = shared;
	return shared;
}

/** Closes everything that the finished test left open. */
export async function closeAll(): Promise<void> {
	await Promise.all(closing.splice(0).map(async (close) => await close()));
}

/**
 * Defines a suite that runs each example in n8n.
 *
 * @param runs by example name; each returns a description of the result
 * @param names the examples of this suite
 * @param begin starts n8n
 */
export function describeExamples(
	names: readonly string[],
	runs: Record<string, () => Promise<string>>,
	begin: () => Promise<unknown> = startTheN8n,
): void {
	beforeAll(async () => {
		await begin();
	});
	afterEach(closeAll);
	afterAll(stopEverything);

	describe('example workflows on the real n8n', () => {
		it('are all run', () => {
			expect(Object.keys(runs).sort()).toEqual([...names].sort());
		});

		it('use only nodes, versions and parameters of this n8n', async () => {
			const types = (await n8n.nodeTypes()) as unknown as Array<
				Description & { version: number | number[] }
			>;
			const problems = names.flatMap((name) =>
				example(name).nodes.flatMap((node) => {
					const description = types.find(
						(type) => type.name === node.type && [type.version].flat().includes(node.typeVersion),
					);
					const found =
						description === undefined
							? [`is of a type that n8n does not have: ${node.type} ${node.typeVersion}`]
							: parameterProblems(node, description);
					return found.map((problem) => `${name}: "${node.name}" ${problem}`);
				}),
			);
			expect(problems).toEqual([]);
		});

		it.each(names)('%s', async (name) => {
			const before = new Set((await n8n.listExecutions({})).map(({ id }) => id));
			const returned = await runs[name]!();
			// An example warns of nothing that it causes itself.
			expect(await listHints(example(name).name, before)).toEqual(
				(HINTS[name] ?? []).map((hint) => expect.stringMatching(hint) as string),
			);
			process.stdout.write(`  ${name.padEnd(28)}${returned.replace(/\s+/g, ' ').slice(0, 140)}\n`);
		});
	});
}

/** Hints about what a run here sends or meets, and not about its example. */
const HINTS: Readonly<Record<string, readonly RegExp[]>> = {
	// Its bytes are those of a PNG.
	'dify-with-file': [/photo\.jpg" is image\/png by its content/],
	// The simulated app has no form; the example is about a run that waits.
	'dify-workflow-approval': [/has no field "topic"/, /The run waits for a person/],
	// Servers that are down.
	'health-watch': [/^Server Health: Unhealthy/],
	'local-first-dify-fallback': [/Unhealthy/],
	// The simulated server paints one size.
	'images-by-form': [/an image of 1x1 pixels/],
};

/** The warnings of all nodes in the executions of a run. Other suites use the same n8n at the same time. */
async function listHints(workflowName: string, before: ReadonlySet<string>): Promise<string[]> {
	const summaries = (await n8n.listExecutions({})).filter(
		(summary) => !before.has(summary.id) && summary.workflowName === workflowName,
	);
	const executions = await Promise.all(summaries.map(async ({ id }) => await n8n.getExecution(id)));
	return executions.flatMap(({ data }) =>
		Object.entries(data.resultData.runData).flatMap(([node, runs]) =>
			runs.flatMap(({ hints = [] }) =>
				(hints as Array<{ message: string; type?: string }>)
					.filter(({ type }) => type !== 'info')
					.map(({ message }) => `${node}: ${message}`),
			),
		),
	);
}

/** A real llama-server with scripted responses. */
export async function scripted(
	replies: ScriptedReply[],
	more: { port?: number; alias?: string; wait?: boolean } = {},
): Promise<LlamaServer> {
	const server = await startLlamaServer({
		model: await scriptedModel(replies, { contextLength: 32_768 }),
		contextSize: 32_768,
		parallel: 2,
		...more,
	});
	closing.push(async () => await server.stop());
	return server;
}

/** A reply of the scripted model: the first that matches the last message is used. */
export interface Rule {
	last?: 'user' | 'tool';
	contains?: string;
	/** Text, or calls of tools. */
	says: string | ScriptedCall[];
}

/** A simulated server whose model responds by rules. */
export async function startRuleServer(
	rules: Rule[],
	options: SimOptions = {},
): Promise<LlamaServerSim> {
	const sim = await startLlamaServerSim(options);
	after(async () => await sim.close());
	const answer = ({ body }: { body?: unknown }) => {
		const { messages } = body as { messages: Array<{ role: string; content: unknown }> };
		const { role, content } = messages.at(-1)!;
		const text = JSON.stringify(content);
		const { says } = rules.find(
			({ last = role, contains = '' }) => last === role && text.includes(contains),
		)!;
		return typeof says === 'string' ? reply.text(says) : reply.toolCalls(says);
	};
	sim.script(...Array.from({ length: 50 }, () => answer));
	return sim;
}

export async function dify(options: DifySimOptions = {}): Promise<DifySim> {
	const sim = await startDifySim(options);
	closing.push(async () => await sim.close());
	return sim;
}

/** An external web service. */
export async function service(
	answer: (url: string) => object,
): Promise<{ url: string; seen: string[] }> {
	const seen: string[] = [];
	const { url, close } = await startScripted(({ path }, response) => {
		seen.push(path);
		sendJson(response, answer(path));
	});
	closing.push(close);
	return { url, seen };
}

export const stored = async (credential: {
	name: string;
	type: string;
	data: Record<string, unknown>;
}): Promise<Named> => {
	const { id } = await n8n.createCredential(credential);
	return { id, name: credential.name };
};
export const localCredential = async (server: Pick<LlamaServer, 'url'>, name = 'My model server') =>
	await stored({ ...llamaCredential(server), name });
export const difyCredential = async (sim: DifySim, mode: 'chat' | 'advanced-chat' = 'chat') =>
	await stored({
		name: 'My Dify app',
		type: 'difyApi',
		data: { baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app', ignoreSslIssues: false },
	});

/** Imports the example into the real n8n and activates it. */
export async function activated(name: string, wiring: Wiring): Promise<Workflow & { id: string }> {
	const created = await n8n.createWorkflow(example(name, wiring));
	await n8n.activate(created.id);
	closing.push(async () => {
		await n8n.request('POST', `/rest/workflows/${created.id}/deactivate`, {});
	});
	return created;
}

/** Runs the example like the editor's button. */
export async function runExample(name: string, wiring: Wiring): Promise<Execution> {
	const created = await n8n.createWorkflow(example(name, wiring));
	return await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
}

export async function sendChatMessage(
	{ nodes }: Workflow,
	question: string,
	sessionId = 'session',
): Promise<string> {
	const { webhookId } = nodes.find(({ type }) => type.endsWith('.chatTrigger'))!;
	const lines: ChatLine[] = [];
	for await (const line of n8n.chat(webhookId!, question, { sessionId })) lines.push(line);
	expect(lines.filter(({ type }) => type === 'error')).toEqual([]);
	return lines
		.filter(({ type }) => type === 'item')
		.map(({ content }) => content ?? '')
		.join('');
}

/** Response of a chat that is not streamed. */
export async function fetchChatResponse({ nodes }: Workflow, chatInput: string): Promise<unknown> {
	const { webhookId } = nodes.find(({ type }) => type.endsWith('.chatTrigger'))!;
	const body = { action: 'sendMessage', sessionId: 'session', chatInput };
	const ask = async () => await n8n.webhook(`${webhookId}/chat`, { body });
	// n8n registers a chat a moment after it activates the workflow.
	const response = await until(ask, ({ status }) => status !== 404);
	return await response.json();
}

interface FormFile {
	name: string;
	type: string;
	bytes: Buffer | string;
}
type FormField = string | FormFile | FormFile[];

/**
 * Fills in and submits a Form Trigger's form, in the order of its fields.
 *
 * @returns the address of the final page
 */
export async function submittedForm(
	{ id, nodes }: Workflow & { id: string },
	fields: readonly FormField[],
): Promise<string> {
	const { webhookId } = nodes.find(({ type }) => type.endsWith('.formTrigger'))!;
	const form = new FormData();
	for (const [index, field] of fields.entries()) {
		if (typeof field === 'string') form.append(`field-${index}`, field);
		else
			for (const { name, type, bytes } of [field].flat())
				form.append(`field-${index}`, new Blob([bytes], { type }), name);
	}
	const post = async () =>
		await fetch(`${n8n.url}/form/${webhookId}`, { method: 'POST', body: form });
	// n8n registers a form a moment after it activates the workflow.
	const response = await until(post, ({ status }) => status !== 404, 60_000);
	expect(response.status).toBe(200);
	const { formWaitingUrl } = (await response.json()) as { formWaitingUrl: string };
	const { error } = (await lastExecution(id)).data.resultData;
	expect(error).toBeUndefined();
	return formWaitingUrl.replace(/^https?:\/\/[^/]+/, n8n.url);
}

/** The same; returns the text of the final page. */
export async function submitted(
	workflow: Workflow & { id: string },
	fields: readonly FormField[],
): Promise<string> {
	return await (await fetch(await submittedForm(workflow, fields))).text();
}

/**
 * Waits until the latest execution of a workflow has ended or waits for a browser. A workflow inside a tool counts as a
 * separate one.
 */
export async function lastExecution(workflowId: string): Promise<Execution> {
	const list = async () => await n8n.listExecutions({ workflowId });
	// n8n reads those that run and those that have ended one after the other: one that ends in between is missing once.
	const own = async () =>
		[await list(), await list()]
			.flat()
			.filter(({ mode }) => mode !== 'integrated')
			.sort((one, other) => Number(other.id) - Number(one.id));
	const [summary] = await until(
		own,
		([latest]) => latest !== undefined && !['new', 'running'].includes(latest.status),
	);
	if (summary!.status === 'waiting') return await n8n.getExecution(summary!.id);
	return await n8n.waitForExecution(summary!.id);
}

/**
 * The latest matching execution that has ended, of a workflow that starts by itself: its latest one may never end.
 */
export async function anyExecution(
	workflowId: string,
	fits: (execution: Execution) => boolean = () => true,
): Promise<Execution> {
	const find = async () => {
		for (const { id } of await n8n.listExecutions({ workflowId, status: ['success', 'error'] })) {
			const execution = await n8n.getExecution(id);
			if (fits(execution)) return execution;
		}
		return undefined;
	};
	return (await until(find, (found) => found !== undefined))!;
}

/** Items of all outputs of a node. */
export const itemsOf = (execution: Execution, node: string): Array<Record<string, unknown>> =>
	(execution.data.resultData.runData[node] ?? []).flatMap(({ data }) =>
		(data?.main ?? []).flatMap((output) => (output ?? []).map(({ json }) => json)),
	);

/** The model's prompts in n8n's log. */
export const promptsOf = (execution: Execution, node: string): string =>
	JSON.stringify(
		(execution.data.resultData.runData[node] ?? []).map(({ inputOverride }) => inputOverride),
	);

/** The text with which a scripted model calls a tool. */
export const call = (name: string, args: object) =>
	`<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;
