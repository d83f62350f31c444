/** Runs one workflow in the running n8n and collects what its user sees. */
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { CONTESTANTS } from './contestants.mjs';

/** @typedef {import('./types').ContestantName} ContestantName */
/** @typedef {import('./types').Outcome} Outcome */
/** @typedef {import('./types').Question} Question */
/** @typedef {import('../../scripts/lib/types').N8nServer} N8nServer */
/** @typedef {import('../../scripts/lib/types').Workflow} Workflow */

const UNFINISHED = ['new', 'running', 'waiting'];
const PIXEL =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
let count = 0;

/**
 * @param {Question} question
 * @param {ContestantName} contestant
 * @param {{ credential: { id: string, name: string }, webhookId: string }} parts
 * @returns {Workflow}
 */
const workflowOf = (question, contestant, { credential, webhookId }) => {
	const { type, typeVersion, parameters, credential: credentialOf } = CONTESTANTS[contestant];
	const streamed = question.streamed !== false;
	/** @type {Workflow['nodes']} */
	const nodes = [
		streamed
			? {
					...{
						id: '1',
						name: 'Start',
						type: '@n8n/n8n-nodes-langchain.chatTrigger',
						typeVersion: 1.5,
						position: [0, 0],
						webhookId,
					},
					parameters: { public: true, mode: 'webhook', options: { responseMode: 'streaming' } },
				}
			: {
					id: '1',
					name: 'Start',
					type: 'n8n-nodes-base.manualTrigger',
					typeVersion: 1,
					position: [0, 0],
					parameters: {},
				},
		{
			...{ id: '2', name: 'Root', position: [200, 0] },
			...(question.root === 'chain'
				? { type: '@n8n/n8n-nodes-langchain.chainLlm', typeVersion: 1.9 }
				: { type: '@n8n/n8n-nodes-langchain.agent', typeVersion: 3.1 }),
			parameters: {
				...(streamed ? {} : { promptType: 'define', text: question.text }),
				...(question.root === 'chain'
					? {}
					: { options: question.picture ? { passthroughBinaryImages: true } : {} }),
			},
		},
		{
			...{
				id: '3',
				name: 'Model',
				type,
				typeVersion,
				position: [200, 200],
				parameters: parameters(question),
			},
			credentials: { [credentialOf('').type]: { id: credential.id, name: credential.name } },
		},
	];
	/** @type {Workflow['connections']} */
	const connections = {
		Start: { main: [[{ node: 'Root', type: 'main', index: 0 }]] },
		Model: { ai_languageModel: [[{ node: 'Root', type: 'ai_languageModel', index: 0 }]] },
	};
	if (question.calculator) {
		nodes.push({
			id: '4',
			name: 'Calculator',
			type: '@n8n/n8n-nodes-langchain.toolCalculator',
			typeVersion: 1,
			position: [400, 200],
			parameters: {},
		});
		connections.Calculator = { ai_tool: [[{ node: 'Root', type: 'ai_tool', index: 0 }]] };
	}
	if (question.picture) {
		const assignments = { assignments: [{ id: 'a', name: 'data', value: PIXEL, type: 'string' }] };
		const options = { mimeType: 'image/png', fileName: 'pixel.png' };
		nodes.push(
			{
				id: '5',
				name: 'Picture',
				type: 'n8n-nodes-base.set',
				typeVersion: 3.4,
				position: [0, 200],
				parameters: { assignments },
			},
			{
				...{
					id: '6',
					name: 'File',
					type: 'n8n-nodes-base.convertToFile',
					typeVersion: 1.1,
					position: [0, 400],
				},
				parameters: { operation: 'toBinary', sourceProperty: 'data', options },
			},
		);
		connections.Start = { main: [[{ node: 'Picture', type: 'main', index: 0 }]] };
		connections.Picture = { main: [[{ node: 'File', type: 'main', index: 0 }]] };
		connections.File = { main: [[{ node: 'Root', type: 'main', index: 0 }]] };
	}
	return {
		name: `${webhookId} ${contestant}`,
		nodes,
		connections,
		settings: { executionOrder: 'v1' },
	};
};

/**
 * @param {string} url
 * @param {object} body
 * @param {AbortSignal} signal
 * @returns {Promise<import('node:http').IncomingMessage>}
 */
const post = async (url, body, signal) => {
	// Not `fetch`, which has its own timeout of five minutes.
	const sent = request(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		signal,
	});
	sent.end(JSON.stringify(body));
	return await new Promise((resolve, reject) =>
		sent.once('response', resolve).once('error', reject),
	);
};

/**
 * Sends a message to the chat and reads what it types.
 *
 * @param {N8nServer} n8n
 * @param {string} webhookId
 * @param {string} chatInput
 */
const chat = (n8n, webhookId, chatInput) => {
	const left = new AbortController();
	let shown = '';
	const read = async () => {
		const send = async () =>
			await post(
				`${n8n.url}/webhook/${webhookId}/chat`,
				{ action: 'sendMessage', sessionId: webhookId, chatInput },
				left.signal,
			);
		let answer = await send();
		// n8n registers the webhook a moment after it activates the workflow.
		while (answer.statusCode === 404) {
			answer.resume();
			await delay(50);
			answer = await send();
		}
		for await (const line of createInterface({ input: answer })) {
			const { type, content } = line.startsWith('{') ? JSON.parse(line) : { type: '', content: '' };
			if (type === 'item') shown += content ?? '';
		}
	};
	// The stream may be aborted here or by n8n: the text that arrived before counts.
	return { shown: () => shown, ended: read().catch(() => undefined), leave: () => left.abort() };
};

/**
 * The execution of one workflow; n8n lists it a moment after it began.
 *
 * @param {N8nServer} n8n
 * @param {string} workflowId
 */
const executionOf = async (n8n, workflowId) => {
	for (let tries = 0; tries < 600; tries += 1) {
		const [summary] = await n8n.listExecutions({ workflowId });
		if (summary) return summary;
		await delay(50);
	}
	throw new Error(`n8n never ran the workflow ${workflowId}`);
};

/** @param {unknown} value */
const text = (value) =>
	typeof value === 'string'
		? value
		: value === undefined || value === null
			? ''
			: JSON.stringify(value);

/**
 * @param {import('../../scripts/lib/types').Execution} execution
 * @param {string} shown
 * @returns {Outcome}
 */
const outcomeOf = (execution, shown) => {
	const { runData, error } = execution.data.resultData;
	const models = runData.Model ?? [];
	const failed =
		models.find((one) => one.error)?.error ??
		runData.Root?.find((one) => one.error)?.error ??
		error;
	const put = /** @type {Record<string, unknown>} */ (
		runData.Root?.at(-1)?.data?.main?.[0]?.[0]?.json ?? {}
	);
	const calls = models.flatMap(
		(run) => run.data?.ai_languageModel?.[0]?.map(({ json }) => json) ?? [],
	);
	return {
		shown,
		// A chain puts the fields of parsed JSON into the item itself.
		output: text(put.output ?? put.text ?? (Object.keys(put).length > 0 ? put : '')),
		status: execution.status,
		...(failed
			? { error: { message: text(failed.message), description: text(failed.description) } }
			: {}),
		ms: Date.parse(execution.stoppedAt ?? '') - Date.parse(execution.startedAt),
		tools: (runData.Calculator ?? []).map((run) => ({
			input: text(run.inputOverride?.ai_tool?.[0]?.[0]?.json),
			output: text(run.data?.ai_tool?.[0]?.[0]?.json),
		})),
		calls,
		log: JSON.stringify(calls),
		execution,
	};
};

/**
 * Begins a run; `finished` gives what came of it.
 *
 * @param {N8nServer} n8n
 * @param {ContestantName} contestant
 * @param {string} url address of the server
 * @param {Question} question
 */
export const begin = async (n8n, contestant, url, question) => {
	const { credential: credentialOf, baseUrl } = CONTESTANTS[contestant];
	const name = `compare-${(count += 1)}`;
	const credential = await n8n.createCredential({
		name,
		...credentialOf(question.baseUrl ?? baseUrl(url)),
	});
	const workflow = await n8n.createWorkflow(
		workflowOf(question, contestant, { credential, webhookId: name }),
	);
	/** @type {ReturnType<typeof chat> | undefined} */
	let reading;
	let id;
	if (question.streamed === false) {
		id = await n8n.runWorkflow(workflow, 'Start');
	} else {
		await n8n.activate(workflow.id);
		reading = chat(n8n, name, question.text);
		id = (await executionOf(n8n, workflow.id)).id;
	}
	/** @returns {Promise<Outcome>} */
	const finished = async () => {
		const deadline = performance.now() + (question.timeoutMs ?? 60_000);
		for (;;) {
			const { status } = await executionOf(n8n, workflow.id);
			if (!UNFINISHED.includes(status)) break;
			if (performance.now() > deadline) {
				await n8n.stopExecution(id);
				break;
			}
			// Poll slowly for runs that last minutes, to keep n8n idle.
			await delay(question.timeoutMs === undefined ? 100 : 1000);
		}
		await Promise.race([reading?.ended, delay(1000)]);
		reading?.leave();
		return outcomeOf(await n8n.getExecution(id), reading?.shown() ?? '');
	};
	return { id, finished, stop: async () => await n8n.stopExecution(id) };
};

/**
 * @param {N8nServer} n8n
 * @param {ContestantName} contestant
 * @param {string} url
 * @param {Question} question
 * @returns {Promise<Outcome>}
 */
export const ask = async (n8n, contestant, url, question) =>
	await (await begin(n8n, contestant, url, question)).finished();
