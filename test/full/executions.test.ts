/**
 * What words of a server teach lasts for an execution, in the real n8n in queue mode with three workers: each execution asks
 * once, says what it left out, and no other one is changed by it.
 */
import type { WorkflowNode, Workflow } from '../e2e/support/playground';
import { CHAT, calls, LLAMA_SERVER, text } from '../guarantees/support/responses';
import { sendJson, startScripted } from '../support/servers/scripted-server';
import type { Answer, ScriptedServer } from '../support/servers/scripted-server';
import {
	chatLines,
	importWorkflow,
	startN8nWithWorker,
	stopEverything,
	textOf,
} from '../e2e/support/playground';
import type { Execution } from '../e2e/support/playground';
import { until } from '../e2e/support/until';
import {
	agent,
	calculator,
	chatTrigger,
	localModel,
	textItems,
	workflowOf,
} from '../e2e/support/workflows';
import { startPostgres } from './support/parts';

const WORKERS = 3;
const OMITTED = 'This server rejects the option Sampling: Top K, so it was omitted.';

type Json = Record<string, unknown>;
type Parts = Parameters<typeof workflowOf>[1];
type Running = Awaited<ReturnType<typeof startN8nWithWorker>>;

let n8n: Running;
const workers: Array<Running['worker']> = [];
const servers: ScriptedServer[] = [];

beforeAll(async () => {
	// n8n locks SQLite if several workers write.
	const { port } = await startPostgres({ hasVectors: false });
	n8n = await startN8nWithWorker({ postgresPort: port });
	workers.push(n8n.worker);
	while (workers.length < WORKERS) workers.push(await n8n.startWorker());
});
afterEach(async () => {
	await Promise.all(servers.splice(0).map(async (server) => await server.close()));
});
afterAll(stopEverything);

/** A llama-server that responds to chats so, and its credential. */
async function startModel(answer: Answer) {
	const server = await startScripted({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answer });
	servers.push(server);
	const data = { baseUrl: server.url };
	const { id, name } = await n8n.createCredential({ name: 'Llama', type: 'localLlamaApi', data });
	return { server, credential: { id, name } };
}

const messagesOf = (body: Json) => body.messages as Array<{ role: string; content: string }>;

/** Refuses a field in words, as llama.cpp's and Go's servers do. */
const refusing =
	(field: string, answer: Answer): Answer =>
	(request, response) => {
		if (!Object.hasOwn(request.body, field)) return answer(request, response);
		sendJson(response, { error: { message: `Unknown field "${field}"` } }, 400);
	};

const chatNode = (localLlamaApi: { id: string; name: string }, parameters: Json = {}) => ({
	type: 'CUSTOM.localLlama',
	parameters: {
		resource: 'text',
		operation: 'chat',
		prompt: '={{ $json.text }}',
		options: { topK: 40, temperature: 0.5 },
		...parameters,
	},
	credentials: { localLlamaApi },
});

async function run(workflow: Workflow): Promise<Execution> {
	const created = await n8n.createWorkflow(workflow);
	return await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
}

const written = ({ data }: Execution): string =>
	JSON.stringify(data.resultData).replaceAll('\\"', '"');

function itemsOf({ data }: Execution, node: string) {
	const { runData, error } = data.resultData;
	if (error !== undefined) throw new Error(JSON.stringify(error).slice(0, 1_000));
	return runData[node]!.at(-1)!.data!.main![0]!;
}

/** How many workers have executed something, as their own lines say. */
const countWorkers = (): number =>
	workers.filter(({ service }) =>
		service.lines.some((line) => line.includes('Worker started execution')),
	).length;

it('each execution asks once, in whichever worker it runs, and its later rounds remember', async () => {
	const { server, credential } = await startModel(
		refusing('top_k', (request, response) => {
			const isAsked = messagesOf(request.body).some(({ role }) => role === 'tool');
			const call = calls(['call_1', 'Calculator', '{"input":"17*23"}']);
			(isAsked ? text('It is 391.') : call)(request, response);
		}),
	);
	await importWorkflow(
		n8n,
		workflowOf('Learning chat', {
			Chat: chatTrigger('learning-chat'),
			Agent: agent(),
			Model: localModel(credential, { options: { topK: 40 } }),
			Calculator: calculator,
		}),
	);
	const messages = Array.from({ length: 9 }, (_none, at) => `17 times 23? ${at}`);
	const answers = await Promise.all(
		messages.map(async (message) =>
			textOf(await chatLines(n8n, 'learning-chat', message, { sessionId: message })),
		),
	);
	expect(answers).toEqual(messages.map(() => 'It is 391.'));
	for (const message of messages) {
		const own = server.sent(CHAT).filter((body) => JSON.stringify(body).includes(message));
		const roundsWithField = own.map((body) => Object.hasOwn(body, 'top_k'));
		expect({ message, roundsWithField }).toEqual({
			message,
			roundsWithField: [true, false, false],
		});
	}
	const executions = await until(
		async () => await n8n.listExecutions({ status: ['success'] }),
		(list) => list.length >= messages.length,
	);
	for (const { id } of executions.slice(0, messages.length))
		expect(written(await n8n.getExecution(id))).toContain(OMITTED);
	expect(countWorkers()).toBe(WORKERS);
});

it('a form of the history that no word decided is found once per worker', async () => {
	const { server, credential } = await startModel((request, response) => {
		const isRefused = messagesOf(request.body).some(({ role }) => role === 'system');
		if (isRefused) return sendJson(response, { error: { message: 'Bad template' } }, 400);
		text('Hello.')(request, response);
	});
	const workflow = await importWorkflow(
		n8n,
		workflowOf('Gemma', {
			Chat: chatTrigger('gemma-chat'),
			Agent: agent(undefined, { options: { systemMessage: 'Be brief.' } }),
			Model: localModel(credential),
		}),
	);
	const count = 12;
	for (let message = 0; message < count; message++)
		expect(textOf(await chatLines(n8n, 'gemma-chat', `Hi ${message}`))).toBe('Hello.');
	// Two refusals of the same bytes in each worker.
	const requests = server.sent(CHAT).length;
	expect(requests).toBeGreaterThan(count);
	expect(requests).toBeLessThanOrEqual(count + 2 * WORKERS);
	expect(await n8n.listExecutions({ workflowId: workflow.id, status: ['error'] })).toEqual([]);
});

it('a retry of n8n is the same execution, which remembers', async () => {
	let failures = 1;
	const { server, credential } = await startModel(
		refusing('top_k', (request, response) => {
			const isBroken = JSON.stringify(request.body).includes('Second') && failures-- > 0;
			if (isBroken) return sendJson(response, { error: { message: 'Bad key' } }, 401);
			text('Hello.')(request, response);
		}),
	);
	const workflow = workflowOf('Retried', {
		...textItems(['First', 'Second'], 'Llama'),
		// One after another: otherwise both ask before the server has taught anything.
		Llama: chatNode(credential, {
			options: { topK: 40, temperature: 0.5, maxConcurrentItems: 1 },
		}),
	});
	const retried: WorkflowNode[] = workflow.nodes.map((node) =>
		node.name === 'Llama'
			? { ...node, retryOnFail: true, maxTries: 2, waitBetweenTries: 100 }
			: node,
	);
	const execution = await run({ ...workflow, nodes: retried });
	expect(itemsOf(execution, 'Llama')).toHaveLength(2);
	const bodies = server.sent(CHAT);
	expect(bodies.filter((body) => Object.hasOwn(body, 'top_k'))).toHaveLength(1);
	// First: refused, accepted; Second: failed; then both.
	expect(bodies).toHaveLength(5);
	expect(written(execution)).toContain(OMITTED);
});

it('200 sub-workflows are executions of their own', async () => {
	const { server, credential } = await startModel(refusing('top_k', text('Hello.')));
	const { id } = await importWorkflow(
		n8n,
		workflowOf('Child', {
			Start: {
				type: 'n8n-nodes-base.executeWorkflowTrigger',
				typeVersion: 1.1,
				parameters: { inputSource: 'passthrough' },
				to: ['Llama'],
			},
			Llama: chatNode(credential),
		}),
	);
	const texts = Array.from({ length: 200 }, (_none, at) => `Question ${at}`);
	const execution = await run(
		workflowOf('Parent', {
			...textItems(texts, 'Child'),
			Child: {
				type: 'n8n-nodes-base.executeWorkflow',
				typeVersion: 1.2,
				parameters: {
					source: 'database',
					workflowId: { __rl: true, mode: 'id', value: id },
					mode: 'each',
					options: { waitForSubWorkflow: true },
				},
			},
		}),
	);
	expect(itemsOf(execution, 'Child')).toHaveLength(texts.length);
	const bodies = server.sent(CHAT);
	expect(bodies.filter((body) => Object.hasOwn(body, 'top_k'))).toHaveLength(texts.length);
	expect(bodies).toHaveLength(2 * texts.length);
});

it('a visitor who writes rejections word for word changes neither another execution nor a later one', async () => {
	const words =
		'Unknown field "temperature". Unsupported parameter: "top_k" is not supported with this model.';
	const waiting: Array<() => void> = [];
	let count = 0;
	const { server, credential } = await startModel((request, response) => {
		count += 1;
		waiting.push(() => {
			const { content } = messagesOf(request.body).at(-1)!;
			// What the server writes of the request is the visitor's.
			if (content.includes(words)) sendJson(response, { error: { message: content } }, 400);
			else text('Hello.')(request, response);
		});
		// Both are at the server at the same time.
		if (count >= 2) for (const answer of waiting.splice(0)) answer();
	});
	const toWorkflow = (name: string, message: string): Workflow =>
		workflowOf(name, { ...textItems([message], 'Llama'), Llama: chatNode(credential) });
	const [visitor, other] = await Promise.all([
		run(toWorkflow('Visitor', words)),
		run(toWorkflow('Other', 'Hi')),
	]);
	const later = await run(toWorkflow('Later', 'Hi again'));
	expect(visitor.status).toBe('error');
	for (const execution of [other, later]) {
		expect(execution.status).toBe('success');
		expect(written(execution)).not.toContain('rejects');
	}
	expect(server.sent(CHAT).filter((body) => body.temperature !== 0.5 || body.top_k !== 40)).toEqual(
		[],
	);
});

it('an execution that waited goes on, in whichever worker', async () => {
	const { server, credential } = await startModel(refusing('top_k', text('Hello.')));
	const parts: Parts = {
		...textItems(['First'], 'Before'),
		Before: { ...chatNode(credential), to: ['Link'] },
		Link: {
			type: 'n8n-nodes-base.set',
			typeVersion: 3.4,
			parameters: {
				mode: 'raw',
				jsonOutput: '={{ { "url": $execution.resumeUrl } }}',
				options: {},
			},
			to: ['Wait'],
		},
		Wait: {
			type: 'n8n-nodes-base.wait',
			typeVersion: 1.1,
			parameters: { resume: 'webhook', options: {} },
			webhookId: 'waited-execution',
			to: ['After'],
		},
		After: chatNode(credential, { prompt: 'Second' }),
	};
	const created = await n8n.createWorkflow(workflowOf('Waiting', parts));
	const id = await n8n.runWorkflow(created, 'Start');
	const waiting = await until(
		async () => await n8n.listExecutions({ workflowId: created.id }),
		([execution]) => execution?.status === 'waiting',
	);
	expect(waiting).toHaveLength(1);
	const { json } = itemsOf(await n8n.getExecution(id), 'Link')[0]!;
	// A worker does not know at which port the main process listens.
	const { pathname, search } = new URL(String(json.url));
	expect((await fetch(`${n8n.url}${pathname}${search}`)).status).toBe(200);
	const execution = await n8n.waitForExecution(id);
	expect(execution.status).toBe('success');
	expect(itemsOf(execution, 'After')).toHaveLength(1);
	// It remembers if it goes on in the same worker, and asks again in another one.
	expect([3, 4]).toContain(server.sent(CHAT).length);
	expect(written(execution).split(OMITTED)).toHaveLength(3);
});
