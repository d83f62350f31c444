import type { DifyAppMode } from '../../lib/dify/types';
import { waitFor } from '../lib/dify/wait-for';
import { appKey, startDifySim, type DifySim, type DifySimOptions } from '../simulators/dify';
import { createDeferred } from '../support/deferred';
import { setTimeout as delay } from 'node:timers/promises';
import { afterShown } from './support/paced-stream';
import {
	chatLines,
	importWorkflow,
	llamaCredential,
	scriptedModel,
	startLlamaServer,
	stopEverything,
	textOf,
	theSharedN8n,
	type ChatLine,
	type Execution,
	type ExecutionData,
	type GateN8n,
	type Workflow,
} from './support/playground';
import { agent, chatTrigger, localModel, MANUAL, workflowOf } from './support/workflows';

const CHAT = 'Dify Chat Message';
const PIXEL =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let n8n: GateN8n;
const sims = new Set<DifySim>();

beforeAll(async () => {
	n8n = await theSharedN8n();
});
afterEach(async () => {
	const open = [...sims];
	sims.clear();
	await Promise.all(open.map(async (sim) => await sim.close()));
});
afterAll(stopEverything);

interface Named {
	id: string;
	name: string;
}

async function startSim(options: DifySimOptions = {}): Promise<DifySim> {
	const sim = await startDifySim(options);
	sims.add(sim);
	return sim;
}

async function credentialOf(
	sim: Pick<DifySim, 'url'>,
	mode: DifyAppMode = 'chat',
	data: Record<string, unknown> = {},
): Promise<Named> {
	const { id, name } = await n8n.createCredential({
		name: `Dify ${mode}`,
		type: 'difyApi',
		data: { baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app', ...data },
	});
	return { id, name };
}

/** A Dify node of this package; `parameters` override the editor's defaults. */
const dify = (
	type: 'difyChatMessage' | 'difyChatMessageTool',
	{ id, name }: Named,
	parameters: Record<string, unknown> = {},
	more: object = {},
) => ({
	type: `CUSTOM.${type}`,
	parameters,
	credentials: { difyApi: { id, name } },
	...more,
});

const chatNode = (credential: Named, parameters: Record<string, unknown> = {}, more: object = {}) =>
	dify(
		'difyChatMessage',
		credential,
		{
			query: '={{ $json.chatInput }}',
			user: '={{ $json.sessionId }}',
			conversation: 'new',
			inputsMode: 'json',
			inputsJson: '{}',
			options: {},
			...parameters,
		},
		more,
	);

async function linesOf(
	webhookId: string,
	text: string,
	sessionId = 'session',
	lines: ChatLine[] = [],
): Promise<ChatLine[]> {
	return await chatLines(n8n, webhookId, text, { sessionId, lines });
}

function itemsOf(
	data: ExecutionData,
	node = CHAT,
): Array<{ json: Record<string, unknown>; pairedItem?: unknown }> {
	return data.resultData.runData[node]!.at(-1)!.data!.main![0]! as Array<{
		json: Record<string, unknown>;
		pairedItem?: unknown;
	}>;
}

async function onlyExecution(workflowId: string): Promise<Execution> {
	const [summary] = await n8n.listExecutions({ workflowId });
	return await n8n.waitForExecution(summary!.id);
}

async function run(workflow: Workflow): Promise<Execution> {
	const created = await n8n.createWorkflow(workflow);
	return await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
}

const splitWords = (text: string) => text.split(/(?<= )/);
const STORY =
	'Once upon a time there was a <llama> & her "friend", 你好 😀, who lived in a small box. ';

describe('Chat Trigger → Dify Chat Message, streamed to the chat webhook', () => {
	it.each(['chat', 'agent-chat', 'agent', 'advanced-chat'] as const)(
		'streams the response: %s',
		async (mode) => {
			const isAgent = mode.startsWith('agent');
			const steps = isAgent
				? [{ round: { chunks: splitWords(STORY) } }]
				: splitWords(STORY).map((text) => ({ text }));
			const lines: ChatLine[] = [];
			const sim = await startSim({
				apps: [{ mode, key: appKey(mode), reply: () => ({ steps }) }],
				stream: afterShown(lines),
			});
			const credential = await credentialOf(sim, mode);
			const webhookId = `dify-${mode}`;
			const { id } = await importWorkflow(
				n8n,
				workflowOf(`Chat ${webhookId}`, {
					Chat: chatTrigger(webhookId, CHAT),
					[CHAT]: chatNode(credential),
				}),
			);
			await linesOf(webhookId, 'Tell me <b>"a story"</b> & more', 'session', lines);
			const items = lines.filter(({ type }) => type === 'item');
			expect([lines[0]!.type, lines.at(-1)!.type]).toEqual(['begin', 'end']);
			expect(textOf(lines)).toBe(STORY);
			expect(items).toHaveLength(splitWords(STORY).length);
			expect(sim.runs).toMatchObject([
				{ query: 'Tell me <b>"a story"</b> & more', user: 'session', responseMode: 'streaming' },
			]);
			const [item] = itemsOf((await onlyExecution(id)).data);
			expect(item!.json).toMatchObject({
				answer: STORY,
				conversationId: sim.runs[0]!.conversationId,
				messageId: sim.runs[0]!.messageId,
			});
		},
	);

	it('Stop in n8n reaches the stop route of the app', async () => {
		const sim = await startSim({
			apps: [
				{
					mode: 'advanced-chat',
					key: appKey('advanced-chat'),
					reply: () => ({
						steps: [{ text: 'Once ' }, { text: 'upon ' }, { wait: 60_000 }, { text: 'never' }],
					}),
				},
			],
		});
		const { id } = await importWorkflow(
			n8n,
			workflowOf('Stopped', {
				Chat: chatTrigger('dify-stopped', CHAT),
				[CHAT]: chatNode(await credentialOf(sim, 'advanced-chat')),
			}),
		);
		const reader = new AbortController();
		const receivedLines: ChatLine[] = [];
		const reading = chatLines(n8n, 'dify-stopped', 'go on', {
			signal: reader.signal,
			lines: receivedLines,
		}).catch(() => []);
		await waitFor(() => textOf(receivedLines) === 'Once upon ');
		const [running] = await n8n.listExecutions({ workflowId: id, status: ['running'] });
		await n8n.stopExecution(running!.id);
		await waitFor(() => sim.stops.length > 0);
		const { taskId } = sim.runs[0]!;
		expect(sim.stops).toEqual([{ taskId, user: 'session', mode: 'advanced-chat', hit: true }]);
		// The text so far is stored, since the node reads until Dify ends the stream.
		await waitFor(() => sim.runs[0]!.status === 'stopped');
		// n8n leaves the chat's own request open.
		reader.abort();
		await reading;
	});

	it('continues when the visitor closes the chat, and keeps the whole response', async () => {
		const left = createDeferred();
		const sim = await startSim({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					reply: () => {
						const [first, ...rest] = splitWords(STORY).map((text) => ({ text }));
						return { steps: [first!, { wait: left.wait }, ...rest] };
					},
				},
			],
		});
		const { id } = await importWorkflow(
			n8n,
			workflowOf('Left', {
				Chat: chatTrigger('dify-left', CHAT),
				[CHAT]: chatNode(await credentialOf(sim)),
			}),
		);
		const visitor = new AbortController();
		for await (const { type } of n8n.chat('dify-left', 'go on', { signal: visitor.signal }))
			if (type === 'item') break;
		visitor.abort();
		expect(sim.runs[0]!.status).toBe('running');
		left.open();
		const { status, data } = await onlyExecution(id);
		expect({ status, answer: itemsOf(data)[0]!.json.answer }).toEqual({
			status: 'success',
			answer: STORY,
		});
		expect(sim.stops).toEqual([]);
	});
});

describe('files', () => {
	it('sends files dropped into the chat', async () => {
		const sim = await startSim({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					fileUpload: { enabled: true, types: ['image', 'document'], number: 5 },
				},
			],
		});
		const credential = await credentialOf(sim);
		const trigger = chatTrigger('dify-dropped', CHAT);
		await importWorkflow(
			n8n,
			workflowOf('Dropped', {
				Chat: {
					...trigger,
					parameters: {
						...trigger.parameters,
						options: { responseMode: 'streaming', allowFileUploads: true },
					},
				},
				[CHAT]: chatNode(credential, { files: { file: [{ source: 'all', type: 'auto' }] } }),
			}),
		);
		const form = new FormData();
		form.append('action', 'sendMessage');
		form.append('sessionId', 'anna');
		form.append('chatInput', 'What are these?');
		form.append('files', new Blob([Buffer.from(PIXEL, 'base64')], { type: 'image/png' }), 'a.png');
		form.append('files', new Blob(['one\ntwo'], { type: 'text/plain' }), 'b.txt');
		let answer = await fetch(`${n8n.url}/webhook/dify-dropped/chat`, {
			method: 'POST',
			body: form,
		});
		for (let tries = 0; answer.status === 404 && tries < 600; tries++) {
			await delay(100);
			answer = await fetch(`${n8n.url}/webhook/dify-dropped/chat`, { method: 'POST', body: form });
		}
		const lines = (await answer.text())
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line) as ChatLine);
		expect(textOf(lines)).toBe('You said: What are these?');
		// n8n 2.20 has another order of a chat's files.
		const files = [...sim.runs[0]!.files].sort((one, other) =>
			String(one.filename).localeCompare(String(other.filename)),
		);
		expect(files).toMatchObject([
			{ type: 'image', filename: 'a.png' },
			{ type: 'document', filename: 'b.txt' },
		]);
	});
});

it('sends failed items to the error output', async () => {
	const sim = await startSim({
		apps: [
			{
				mode: 'chat',
				key: appKey('chat'),
				reply: ({ query }) =>
					query === 'number 1'
						? {
								steps: [],
								refuse: { status: 400, code: 'provider_quota_exceeded', message: 'No credits.' },
							}
						: 'ok',
			},
		],
	});
	const jsCode = 'return Array.from({ length: 3 }, (_, at) => ({ json: { at } }));';
	const { data } = await run(
		workflowOf('Many', {
			Start: { ...MANUAL, to: ['Items'] },
			Items: { type: 'n8n-nodes-base.code', typeVersion: 2, parameters: { jsCode }, to: [CHAT] },
			[CHAT]: chatNode(
				await credentialOf(sim),
				{ query: '={{ "number " + $json.at }}', user: 'anna' },
				{ onError: 'continueErrorOutput' },
			),
		}),
	);
	const outputs = data.resultData.runData[CHAT]!.at(-1)!.data!.main!;
	expect(outputs[0]).toHaveLength(2);
	expect(outputs[1]).toMatchObject([
		{
			json: {
				at: 1,
				error: { code: 'provider_quota_exceeded', type: 'providerQuotaExceeded', status: 400 },
			},
		},
	]);
});

describe('the editor', () => {
	const options = async <T>(
		kind: string,
		credential: Named,
		body: Record<string, unknown>,
	): Promise<T> =>
		await n8n.request<T>('POST', `/rest/dynamic-node-parameters/${kind}`, {
			currentNodeParameters: {},
			credentials: { difyApi: credential },
			...body,
		});

	it("loads the app's own form as typed fields, sends them, and reports why it cannot", async () => {
		const form = [
			{ kind: 'text-input' as const, variable: 'city', label: 'City', required: true },
			{ kind: 'number' as const, variable: 'days' },
			{ kind: 'select' as const, variable: 'unit', options: ['C', 'F'], default: 'C' },
			{ kind: 'checkbox' as const, variable: 'terse' },
			{ kind: 'file' as const, variable: 'picture', allowedTypes: ['image'] },
		];
		const sim = await startSim({
			apps: [{ mode: 'chat', key: appKey('chat'), form, fileUpload: { enabled: true } }],
		});
		const credential = await credentialOf(sim);
		const type = {
			nodeTypeAndVersion: { name: 'CUSTOM.difyChatMessage', version: 1 },
			path: 'parameters.inputs',
			methodName: 'getForm',
		};
		const { fields } = await options<{ fields: Array<Record<string, unknown>> }>(
			'resource-mapper-fields',
			credential,
			type,
		);
		expect(fields.map(({ id, type: kind, required }) => [id, kind, required])).toEqual([
			['city', 'string', true],
			['days', 'number', false],
			['unit', 'options', false],
			['terse', 'boolean', false],
			['picture', 'string', false],
		]);
		const { status, data } = await run(
			workflowOf('Form', {
				Start: { ...MANUAL, to: [CHAT] },
				[CHAT]: chatNode(credential, {
					query: 'Weather?',
					user: 'anna',
					inputsMode: 'form',
					inputs: {
						mappingMode: 'defineBelow',
						value: {
							city: '={{ 1234 }}',
							days: '3',
							unit: 'F',
							terse: true,
							picture: 'https://example.com/a.png',
						},
						matchingColumns: [],
						schema: fields,
						attemptToConvertTypes: false,
						convertFieldsToString: false,
					},
				}),
			}),
		);
		expect({ status, error: data.resultData.error?.message }).toEqual({
			status: 'success',
			error: undefined,
		});
		expect(sim.runs[0]!.inputs).toMatchObject({
			city: '1234',
			days: 3,
			unit: 'F',
			terse: true,
			picture: { type: 'image', transfer_method: 'remote_url' },
		});
		const bad = await credentialOf(sim, 'chat', { apiKey: 'app-wrong' });
		expect(await options('resource-mapper-fields', bad, type)).toMatchObject({
			fields: [],
			emptyFieldsNotice: expect.stringContaining('Dify rejected the API key') as string,
		});
	});
});

describe('as the tool of an agent', () => {
	it('responds to the agent, and does not stream into the chat itself', async () => {
		const sim = await startSim({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					reply: ({ query }) => `The handbook says: 42 (${query})`,
				},
			],
		});
		const llama = await startLlamaServer({
			model: await scriptedModel([
				{ last: 'tool', reply: 'It is 42, says the handbook.' },
				{
					last: 'user',
					reply:
						'<tool_call>\n{"name": "Handbook", "arguments": {"Question": "How many days off?"}}\n</tool_call>',
				},
			]),
			contextSize: 4096,
			parallel: 1,
		});
		const model = await n8n.createCredential({
			...llamaCredential(llama),
			id: undefined,
			name: 'model',
		});
		const credential = await credentialOf(sim);
		const { id } = await importWorkflow(
			n8n,
			workflowOf('Tool', {
				Chat: chatTrigger('dify-tool'),
				Agent: agent(),
				Model: localModel(model),
				Handbook: dify(
					'difyChatMessageTool',
					credential,
					{
						toolDescription: 'Answers questions about the handbook',
						query: "={{ $fromAI('Question', 'What to look up', 'string') }}",
						user: 'anna',
						conversation: 'new',
						inputsMode: 'json',
						inputsJson: '{}',
						options: {},
					},
					{ serves: [['ai_tool', 'Agent']] },
				),
			}),
		);
		const lines = await linesOf('dify-tool', 'How many days off do I have?');
		expect(textOf(lines)).toBe('It is 42, says the handbook.');
		expect(
			new Set(
				lines.map((line) => (line as { metadata?: { nodeName?: string } }).metadata?.nodeName),
			),
		).toEqual(new Set(['Agent']));
		expect(sim.runs).toMatchObject([{ query: 'How many days off?', user: 'anna' }]);
		const { data } = await onlyExecution(id);
		expect(JSON.stringify(data.resultData.runData.Handbook)).toContain('The handbook says: 42');
		await llama.stop();
	});
});
