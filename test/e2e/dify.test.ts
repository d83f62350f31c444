import type { DifyAppMode } from '../../lib/dify/types';
import { waitFor } from '../lib/dify/wait-for';
import {
	appKey,
	defaultApps,
	knowledgeKey,
	startDifySim,
	type DifySim,
	type DifySimOptions,
} from '../simulators/dify';
import { createDeferred } from '../support/deferred';
import { listen } from '../support/listen';
import * as http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterShown } from './support/paced-stream';
import {
	chatLines,
	importWorkflow,
	isOldestN8n,
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
	type: 'difyChatMessage' | 'difyConversation' | 'difyChatMessageTool',
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

	it('shows a response replaced by moderation in a separate message', async () => {
		const sim = await startSim({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					reply: () => ({ steps: [{ text: 'bad ' }, { text: 'words' }, { replace: 'Withheld.' }] }),
				},
			],
			stream: { delayMs: 20 },
		});
		await importWorkflow(
			n8n,
			workflowOf('Replaced', {
				Chat: chatTrigger('dify-replaced', CHAT),
				[CHAT]: chatNode(await credentialOf(sim)),
			}),
		);
		const lines = await linesOf('dify-replaced', 'hi');
		const secondBegin = lines.findLastIndex(({ type }) => type === 'begin');
		expect(textOf(lines.slice(secondBegin))).toBe('Withheld.');
		expect(lines.slice(0, secondBegin).at(-1)!.type).toBe('end');
	});

	it('continues the latest conversation of the chat session, and another one for another session, with the defaults of the node', async () => {
		const sim = await startSim();
		const credential = await credentialOf(sim);
		await importWorkflow(
			n8n,
			workflowOf('Latest', {
				Chat: chatTrigger('dify-latest', CHAT),
				[CHAT]: dify('difyChatMessage', credential, { conversation: 'latest' }),
			}),
		);
		await linesOf('dify-latest', 'one', 'anna');
		await linesOf('dify-latest', 'two', 'anna');
		await linesOf('dify-latest', 'three', 'ben');
		const [one, two, three] = sim.runs;
		expect([one!.user, two!.user, three!.user]).toEqual(['anna', 'anna', 'ben']);
		expect(two!.conversationId).toBe(one!.conversationId);
		expect(three!.conversationId).not.toBe(one!.conversationId);
		const { status, data } = await run(
			workflowOf('No chat', {
				Start: { ...MANUAL, to: [CHAT] },
				[CHAT]: dify('difyChatMessage', credential, { query: 'four' }),
			}),
		);
		expect({ status, error: data.resultData.error?.message }).toEqual({
			status: 'success',
			error: undefined,
		});
		expect(sim.runs[3]).toMatchObject({
			query: 'four',
			user: expect.stringMatching(/^n8n-\w+$/) as string,
		});
	});

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

	it('a stream that ends early: the rest is read from the run record, and the run is not sent again', async () => {
		const sim = await startSim({
			apps: [
				{
					mode: 'advanced-chat',
					key: appKey('advanced-chat'),
					reply: () => ({ steps: splitWords(STORY).map((text) => ({ text })) }),
				},
			],
			stream: { cut: { events: 6, how: 'reset' } },
		});
		const { id } = await importWorkflow(
			n8n,
			workflowOf('Lost', {
				Chat: chatTrigger('dify-lost', CHAT),
				[CHAT]: chatNode(await credentialOf(sim, 'advanced-chat')),
			}),
		);
		expect(textOf(await linesOf('dify-lost', 'go on'))).toBe(STORY);
		const [item] = itemsOf((await onlyExecution(id)).data);
		expect(item!.json).toMatchObject({ answer: STORY });
		expect(item!.json).not.toHaveProperty('status');
		expect(sim.runs).toHaveLength(1);
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

	it('shows the error in the chat', async () => {
		const sim = await startSim({
			apps: [{ mode: 'chat', key: appKey('chat'), apiEnabled: false }],
		});
		const { id } = await importWorkflow(
			n8n,
			workflowOf('Off', {
				Chat: chatTrigger('dify-off', CHAT),
				[CHAT]: chatNode(await credentialOf(sim)),
			}),
		);
		const lines = await linesOf('dify-off', 'hi');
		expect(lines.filter(({ type }) => type === 'error')).toHaveLength(1);
		// Visitors see only this; the details are in the execution.
		expect(lines.at(-1)!.content).toContain('The owner of this chat can see the reason in n8n');
		const { status, data } = await onlyExecution(id);
		expect(status).toBe('error');
		expect(JSON.stringify(data.resultData.error)).toContain('Backend service API');
	});
});

describe('files', () => {
	it('sends an image from binary data: uploaded by the same user, in the run as a local file', async () => {
		const sim = await startSim();
		const credential = await credentialOf(sim);
		const { status, data } = await run(
			workflowOf('Picture', {
				Start: { ...MANUAL, to: ['Picture'] },
				Picture: {
					type: 'n8n-nodes-base.set',
					typeVersion: 3.4,
					parameters: {
						assignments: {
							assignments: [{ id: 'a', name: 'data', value: PIXEL, type: 'string' }],
						},
					},
					to: ['File'],
				},
				File: {
					type: 'n8n-nodes-base.convertToFile',
					typeVersion: 1.1,
					parameters: {
						operation: 'toBinary',
						sourceProperty: 'data',
						options: { mimeType: 'image/png', fileName: 'my pixel: 1.png' },
					},
					to: [CHAT],
				},
				[CHAT]: chatNode(credential, {
					query: 'What is it?',
					user: 'anna',
					files: { file: [{ source: 'binary', binaryProperty: 'data', type: 'auto' }] },
				}),
			}),
		);
		expect({ status, error: data.resultData.error?.message }).toEqual({
			status: 'success',
			error: undefined,
		});
		const upload = sim.requests.find(({ path: route }) => route === '/files/upload')!.upload!;
		expect(upload).toMatchObject({
			fields: { user: 'anna' },
			parts: [
				{ name: 'file', mimeType: 'image/png', size: Buffer.from(PIXEL, 'base64').byteLength },
			],
		});
		expect(Buffer.from(upload.parts[0]!.content).toString('base64')).toBe(PIXEL);
		expect(sim.runs).toMatchObject([
			{
				user: 'anna',
				files: [{ type: 'image', transfer_method: 'local_file', mime_type: 'image/png' }],
			},
		]);
		expect(itemsOf(data)[0]!.json.answer).toBe('You said: What is it?');
	});

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

describe('conversations', () => {
	it('lists, renames and deletes conversations, reads messages, sets variables', async () => {
		const apps = defaultApps().map((app) =>
			app.mode === 'advanced-chat'
				? {
						...app,
						suggestedQuestions: ['Why?'],
						variables: [{ name: 'lang', valueType: 'string', value: 'en' }],
					}
				: app,
		);
		const sim = await startSim({ apps });
		const credential = await credentialOf(sim, 'advanced-chat');
		const id = { __rl: true, mode: 'id', value: `={{ $('${CHAT}').item.json.conversationId }}` };
		const step = (parameters: Record<string, unknown>, to: string) =>
			dify(
				'difyConversation',
				credential,
				{ user: 'anna', options: {}, ...parameters },
				{ to: [to] },
			);
		const { status, data } = await run(
			workflowOf('Conversations', {
				Start: { ...MANUAL, to: [CHAT] },
				[CHAT]: chatNode(credential, { query: 'hi', user: 'anna' }, { to: ['List'] }),
				List: step({ resource: 'conversation', operation: 'getAll', returnAll: true }, 'Rename'),
				Rename: step(
					{ resource: 'conversation', operation: 'rename', conversationId: id, name: 'Greeting' },
					'Messages',
				),
				Messages: step(
					{ resource: 'message', operation: 'getAll', conversationId: id, returnAll: true },
					'Suggested',
				),
				Suggested: step(
					{
						resource: 'message',
						operation: 'getSuggested',
						messageId: `={{ $('${CHAT}').item.json.messageId }}`,
					},
					'Set',
				),
				Set: step(
					{
						resource: 'variable',
						operation: 'update',
						conversationId: id,
						variableId: { __rl: true, mode: 'name', value: 'lang' },
						value: 'de',
					},
					'Variables',
				),
				Variables: step(
					{ resource: 'variable', operation: 'getAll', conversationId: id, returnAll: true },
					'Delete',
				),
				Delete: step({ resource: 'conversation', operation: 'delete', conversationId: id }, 'End'),
				End: { type: 'n8n-nodes-base.noOp' },
			}),
		);
		expect({ status, error: data.resultData.error?.message }).toEqual({
			status: 'success',
			error: undefined,
		});
		const { conversationId } = sim.runs[0]!;
		expect(itemsOf(data, 'List')).toMatchObject([{ json: { id: conversationId } }]);
		expect(itemsOf(data, 'Rename')).toMatchObject([
			{ json: { id: conversationId, name: 'Greeting' } },
		]);
		expect(itemsOf(data, 'Messages')).toMatchObject([
			{ json: { query: 'hi', answer: 'You said: hi' } },
		]);
		expect(itemsOf(data, 'Suggested')).toMatchObject([{ json: { questions: ['Why?'] } }]);
		expect(itemsOf(data, 'Variables')).toMatchObject([{ json: { name: 'lang', value: 'de' } }]);
		expect(itemsOf(data, 'Delete')).toMatchObject([{ json: { conversationId, deleted: true } }]);
		expect(sim.app('advanced-chat').conversations.size).toBe(0);
	});
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

	it('tests the credential: every form of the base URL, wrong keys, wrong family, the web front end', async () => {
		const sim = await startSim();
		const test = async (change: Record<string, unknown>) => {
			const data = {
				baseUrl: sim.url,
				apiKey: appKey('chat'),
				keyType: 'app',
				ignoreSslIssues: false,
				...change,
			};
			const stored = { name: 'test', type: 'difyApi', data };
			// n8n 2.20 tests saved credentials only.
			const { id } = await n8n.createCredential(stored);
			return await n8n.request<{ status: string; message: string }>(
				'POST',
				'/rest/credentials/test',
				{
					credentials: { id, ...stored },
				},
			);
		};
		for (const suffix of ['', '/', '/v1', '/v1/', '/v1/chat-messages'])
			expect({ suffix, ...(await test({ baseUrl: sim.origin + suffix })) }).toMatchObject({
				suffix,
				status: 'OK',
			});
		expect(await test({ apiKey: knowledgeKey(), keyType: 'knowledge' })).toMatchObject({
			status: 'OK',
		});
		const expectRejection = async (data: Record<string, unknown>, words: string) => {
			const { status, message } = await test(data);
			// n8n 2.20 has its own message for each status.
			const isSpelledOut =
				!isOldestN8n() ||
				!/^(?:Authorization failed|Forbidden|The resource you are requesting could not be found)/.test(
					message,
				);
			expect({ status, message }).toEqual({
				status: 'Error',
				message: isSpelledOut ? (expect.stringContaining(words) as string) : message,
			});
		};
		await expectRejection({ apiKey: 'app-wrong' }, 'rejected the API key');
		await expectRejection({ apiKey: knowledgeKey() }, 'rejected the API key');
		await expectRejection(
			{ baseUrl: `${sim.origin}/tools` },
			'No Dify API was found at this address',
		);
		await expectRejection(
			{ baseUrl: await webPage() },
			'This address returns plain text or a web page',
		);
		const off = await startSim({
			apps: [{ mode: 'chat', key: appKey('chat'), apiEnabled: false }],
		});
		await expectRejection({ baseUrl: off.url }, 'Backend service API');
	});

	let page: http.Server | undefined;
	afterEach(() => {
		page?.close();
		page = undefined;
	});
	/** A web front end that responds to all requests with a page. */
	async function webPage(): Promise<string> {
		const server = http.createServer((_, answer) => {
			answer.writeHead(200, { 'content-type': 'text/html' });
			answer.end('<!DOCTYPE html><html><head><title>Dify</title></head></html>');
		});
		page = server;
		return `http://127.0.0.1:${await listen(server)}`;
	}
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
