/** What people see on n8n's Chat page and in its public chat: responses, errors, Stop, and the examples. */
import { randomUUID } from 'node:crypto';
import type * as http from 'node:http';
import type { JsonRecord } from '../../lib/values/records';
import { asRecord, asRecords } from '../../lib/values/records';
import {
	CHAT as COMPLETIONS,
	delta,
	LLAMA_SERVER,
	openStream,
	send,
} from '../guarantees/support/responses';
import { appKey, startDifySim } from '../simulators/dify';
import type { DifySim, Script } from '../simulators/dify';
import { closedPort } from '../support/servers/listen';
import { sendJson, startScripted } from '../support/servers/scripted-server';
import type { ScriptedRequest, ScriptedServer } from '../support/servers/scripted-server';
import { waitFor } from '../support/waiting/wait-for';
import { example } from './support/examples';
import { ChatPage } from './support/chat-page';
import type { Attachment } from './support/chat-page';
import {
	importWorkflow,
	llamaCredential,
	stopEverything,
	theSharedN8n,
} from './support/playground';
import type { GateN8n, Workflow, WorkflowNode } from './support/playground';
import { until } from './support/until';
import { agent, chatTrigger, localModel, workflowOf } from './support/workflows';

/** Words of the servers, which no visitor may read. */
const SECRET = 'CUDA error in /srv/models/llama.cpp with key sk-house-4711';
const FORBIDDEN = /127\.0\.0\.1|https?:|\/srv|CUDA|sk-house|\/v1|Docker|Base URL|API key/i;
const NEUTRAL =
	/^The response could not be generated\. The owner of this chat can see the reason in n8n, execution \d+\.$/;

const PIXEL: Attachment = {
	fileName: 'photo.png',
	mimeType: 'image/png',
	data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
};
const BROKEN_PHOTO: Attachment = {
	fileName: 'photo.heic',
	mimeType: 'image/heic',
	data: Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic').toString('base64'),
};

let n8n: GateN8n;
let page: ChatPage;
let model: ScriptedServer;
let dify: DifySim;
/** Its streams break after the first text, and the runs then fail. */
let brokenDify: DifySim;
/** Credentials by name: those of servers that run, and of ports where none does. */
const credentials: Record<string, { id: string; name: string }> = {};

const lastText = ({ body }: ScriptedRequest): string => {
	const { content } = asRecords(asRecord(body).messages).at(-1) ?? {};
	return typeof content === 'string' ? content : JSON.stringify(content ?? '');
};

/** A model server whose response depends on the message. */
function respond(request: ScriptedRequest, response: http.ServerResponse): void {
	const text = lastText(request);
	const error = { message: SECRET };
	if (text.includes('key')) return sendJson(response, { error }, 401);
	if (text.includes('fails')) return sendJson(response, { error }, 500);
	openStream(response);
	if (text.includes('silent')) return;
	if (text.includes('call the tool') && asRecords(request.body.messages).at(-1)?.role !== 'tool') {
		const name = asRecord(asRecords(request.body.tools)[0]?.function).name;
		const call = {
			index: 0,
			id: 'c1',
			type: 'function',
			function: { name, arguments: '{"prompt":"x"}' },
		};
		send(response, delta({ tool_calls: [call] }), delta({}, 'tool_calls'), '[DONE]');
		return void response.end();
	}
	send(response, delta({ content: `You said: ${text} ` }));
	if (text.includes('stays open')) return;
	if (text.includes('breaks')) return void setTimeout(() => response.destroy(), 50);
	if (text.includes('error after text')) send(response, { error } as JsonRecord);
	else send(response, delta({}, 'stop'), '[DONE]');
	response.end();
}

/** The same of Dify. */
function difyReply({ query }: { query: string }): Script {
	const message = SECRET;
	const text = { text: `You said: ${query} ` };
	if (query.includes('key'))
		return { steps: [], refuse: { status: 400, code: 'provider_not_initialize', message } };
	if (query.includes('silent')) return { steps: [{ wait: 600_000 }] };
	if (query.includes('stays open')) return { steps: [text, { wait: 600_000 }] };
	if (query.includes('error after text'))
		return { steps: [text, { error: { status: 500, code: 'internal_server_error', message } }] };
	if (query.includes('fails')) return { steps: [], fail: message };
	if (query.includes('breaks')) return { steps: [text], fail: message };
	return { steps: [text] };
}

beforeAll(async () => {
	n8n = await theSharedN8n();
	page = await ChatPage.open(n8n);
	model = await startScripted({ ...LLAMA_SERVER, [`POST ${COMPLETIONS}`]: respond });
	const app = { mode: 'advanced-chat' as const, key: appKey('advanced-chat'), reply: difyReply };
	const fileUpload = { enabled: true, types: ['image'], number: 3 };
	dify = await startDifySim({
		apps: [app, { ...app, mode: 'chat', key: appKey('chat'), fileUpload }],
	});
	brokenDify = await startDifySim({ apps: [app], stream: { cut: { events: 3, how: 'eof' } } });
	const down = `http://127.0.0.1:${await closedPort()}`;
	const create = async (name: string, credential: Parameters<GateN8n['createCredential']>[0]) => {
		const { id } = await n8n.createCredential({ ...credential, id: undefined, name });
		credentials[name] = { id, name };
	};
	const difyApi = (baseUrl: string, mode: 'advanced-chat' | 'chat' = 'advanced-chat') => ({
		name: '',
		type: 'difyApi',
		data: { baseUrl, apiKey: appKey(mode), keyType: 'app' },
	});
	await create('model', llamaCredential(model));
	await create('no model', llamaCredential({ url: down }));
	await create('dify', difyApi(dify.url));
	await create('dify with images', difyApi(dify.url, 'chat'));
	await create('broken dify', difyApi(brokenDify.url));
	await create('no dify', difyApi(`${down}/v1`));
});
afterAll(async () => {
	page.close();
	await model.close();
	await dify.close();
	await brokenDify.close();
	await stopEverything();
});

type Parts = Parameters<typeof workflowOf>[1];

/** The state of the server of a node. */
type Condition = 'works' | 'is down' | 'breaks off';

/** A node that answers in a chat. */
interface Answering {
	name: string;
	/** With its sub-nodes, by name. */
	parts(condition: Condition): Parts;
}

const NO_RETRIES = { maxRetries: 0 };
const localCredential = (condition: Condition) => ({
	localLlamaApi: credentials[condition === 'is down' ? 'no model' : 'model']!,
});

const DIFY_CREDENTIALS: Record<Condition, string> = {
	works: 'dify',
	'is down': 'no dify',
	'breaks off': 'broken dify',
};

const NODES: Answering[] = [
	{
		name: 'Agent',
		parts: (condition) => ({
			Agent: agent(),
			Model: localModel(localCredential(condition).localLlamaApi, { options: NO_RETRIES }),
			Expert: {
				type: 'CUSTOM.localLlamaTool',
				parameters: {
					resource: 'text',
					operation: 'chat',
					model: { __rl: true, mode: 'id', value: 'sim-model' },
					prompt: 'Hi',
					options: NO_RETRIES,
				},
				credentials: localCredential('is down'),
				serves: [['ai_tool', 'Agent']],
			},
		}),
	},
	{
		name: 'Local Llama',
		parts: (condition) => ({
			'Local Llama': {
				type: 'CUSTOM.localLlama',
				parameters: {
					resource: 'text',
					operation: 'chat',
					model: { __rl: true, mode: 'id', value: 'sim-model' },
					prompt: '={{ $json.chatInput }}',
					options: { ...NO_RETRIES, binaryFields: 'data0' },
				},
				credentials: localCredential(condition),
			},
		}),
	},
	{
		name: 'Dify Chat Message',
		parts: (condition) => ({
			'Dify Chat Message': {
				type: 'CUSTOM.difyChatMessage',
				parameters: {
					query: '={{ $json.chatInput }}',
					inputsMode: 'json',
					inputsJson: '{}',
					files: { file: [{ source: 'binary', binaryProperty: 'data0', type: 'auto' }] },
					options: NO_RETRIES,
				},
				credentials: { difyApi: credentials[DIFY_CREDENTIALS[condition]]! },
			},
		}),
	},
];

type Mode = 'streaming' | 'lastNode' | 'responseNodes';

/** A published workflow that is public and on the Chat page. */
async function publish(
	{ name, parts }: Answering,
	mode: Mode,
	{ condition = 'works', onError }: { condition?: Condition; onError?: string } = {},
): Promise<Workflow & { id: string; webhookId: string }> {
	const webhookId = randomUUID();
	const trigger = chatTrigger(webhookId, name);
	const parameters = {
		public: true,
		mode: 'hostedChat',
		availableInChat: true,
		options: { responseMode: mode, allowFileUploads: true },
	};
	const all: Parts = { Chat: { ...trigger, parameters }, ...parts(condition) };
	if (onError !== undefined) all[name] = { ...all[name]!, onError };
	if (mode === 'responseNodes') {
		all[name] = { ...all[name]!, to: ['Respond'] };
		all.Respond = {
			type: '@n8n/n8n-nodes-langchain.chat',
			typeVersion: 1,
			parameters: { message: '={{ $json.output }}', waitUserReply: false, options: {} },
		};
	}
	const workflow = workflowOf(`${name}, ${mode}`, all);
	return { ...(await importWorkflow(n8n, workflow)), webhookId };
}

/** The message that lets something fail, by what a person would call it. */
const CAUSES: Record<string, string> = {
	'the server is down': 'Hello',
	'a wrong key': 'The key is wrong',
	'a failure before any text': 'It fails',
	'an error after text': 'An error after text',
	'a stream that breaks': 'The stream breaks',
	'a file that is not supported': 'Look',
	'a tool that fails': 'Please call the tool',
};

/** A message to the public chat. @returns everything that the visitor gets */
async function askPublicChat(
	webhookId: string,
	chatInput: string,
	files: Attachment[],
): Promise<string> {
	const body = new FormData();
	for (const [name, value] of Object.entries({
		action: 'sendMessage',
		sessionId: webhookId,
		chatInput,
	}))
		body.append(name, value);
	for (const { data, mimeType, fileName } of files)
		body.append('files', new Blob([Buffer.from(data, 'base64')], { type: mimeType }), fileName);
	const address = `${n8n.url}/webhook/${webhookId}/chat`;
	const response = await until(
		async () => await fetch(address, { method: 'POST', body }),
		({ status }) => status !== 404,
	);
	return `${response.status} ${await response.text()}`;
}

/** What a visitor and the owner saw of a failure. */
interface Failure {
	cause: string;
	/** Status of the message on the Chat page. */
	status: string;
	/** Text of this message. */
	text: string;
	/** What the public chat returned. */
	visited: string;
	/** Whatever is wrong with it. */
	problems: string[];
}

async function fail(
	[cause, message]: readonly [string, string],
	{ id, webhookId }: { id: string; webhookId: string },
): Promise<Failure> {
	const files = cause === 'a file that is not supported' ? [BROKEN_PHOTO] : [];
	const conversation = page.talk(id);
	const { text, status, executionId } = await conversation.send(message, files);
	const visited = await askPublicChat(webhookId, message, files);
	const messages = await conversation.messages();
	const everything = JSON.stringify([conversation.events, messages, visited]);
	const problems = [FORBIDDEN.exec(everything)].flatMap((found) => found ?? []);
	if (cause !== 'a tool that fails') {
		const last = text.split('\n\n').at(-1)!;
		if (status !== 'error' || !NEUTRAL.test(last)) problems.push(`"${text}" is not neutral`);
		const { error } = (await n8n.getExecution(String(executionId))).data.resultData;
		const owned = JSON.stringify((error as unknown as { context: unknown }).context);
		if (!/http:\/\/127|heic|File upload is disabled/i.test(owned))
			problems.push(`The owner sees only ${owned}`);
	}
	return { cause, status, text, visited, problems };
}

describe.each(NODES)('$name', (answering) => {
	const { name } = answering;
	const causes = Object.entries(CAUSES).filter(
		([cause]) => name === 'Agent' || cause !== 'a tool that fails',
	);

	it.each<Mode>(['streaming', 'lastNode', 'responseNodes'])(
		'in the response mode %s, a visitor reads nothing of the server, and the owner everything',
		async (mode) => {
			const workflow = await publish(answering, mode);
			const others: Record<string, typeof workflow> = {
				'the server is down': await publish(answering, mode, { condition: 'is down' }),
				'a stream that breaks': await publish(answering, mode, { condition: 'breaks off' }),
			};
			const failures = await Promise.all(
				causes.map(async (cause) => await fail(cause, others[cause[0]] ?? workflow)),
			);
			expect(failures.filter(({ problems }) => problems.length > 0)).toEqual([]);
		},
	);

	it('continues on errors: the item that a chat shows has nothing of the server', async () => {
		const { id, webhookId } = await publish(answering, 'lastNode', {
			condition: 'is down',
			onError: 'continueRegularOutput',
		});
		const { text } = await page.talk(id).send('Hello');
		const visited = await askPublicChat(webhookId, 'Hello', []);
		expect(`${text} ${visited}`).not.toMatch(FORBIDDEN);
		expect(visited).toContain('The owner of this chat can see the reason in n8n');
	});

	it.each([
		{ when: 'before the first token', message: 'Stay silent', shown: '' },
		{
			when: 'after the first token',
			message: 'It stays open',
			shown: 'You said: It stays open ',
		},
	])(
		'Stop $when frees the connection and leaves exactly what had arrived',
		async ({ message, shown }) => {
			const { id } = await publish(answering, 'streaming');
			const conversation = page.talk(id);
			const isDify = name === 'Dify Chat Message';
			const countRuns = () =>
				isDify
					? dify.runs.filter(({ query }) => query === message).length
					: model.requests.filter((request) => lastText(request).includes(message)).length;
			const before = countRuns();
			await conversation.begin(message);
			await waitFor(
				() => countRuns() > before && conversation.hasBegun && conversation.shown === shown,
			);
			await conversation.stop();
			if (isDify) await waitFor(() => dify.runs.at(-1)!.status === 'stopped');
			else await model.requests.findLast(({ path }) => path === COMPLETIONS)!.cut;
			await conversation.end();
			const response = await conversation.lastResponse();
			expect(response.status).toBe('cancelled');
			// The line that the agent adds is n8n's, as is the sentence that it may store where nothing had arrived.
			const isOfN8n = shown === '' && response.text === 'The execution was cancelled manually';
			if (name !== 'Agent' && !isOfN8n) expect(response.text).toBe(shown);
			expect(response.text).not.toMatch(FORBIDDEN);
			const events = JSON.stringify(conversation.events);
			expect(events).not.toMatch(/could not be generated/);
		},
	);
});

describe('the examples', () => {
	/** As a user publishes it: with a credential, and no other change. */
	const published = async (name: string, own: NonNullable<WorkflowNode['credentials']>) => {
		const { nodes, ...workflow } = example(name);
		return await importWorkflow(n8n, {
			...workflow,
			nodes: nodes.map((node) => ({
				...node,
				...(node.type.startsWith('CUSTOM.') ? { credentials: own } : {}),
				// Other suites publish the same examples.
				...(node.webhookId === undefined ? {} : { webhookId: randomUUID() }),
			})),
		});
	};

	it.each([
		{
			example: 'chat-with-local-model',
			listed: {
				name: 'Local model',
				description: 'Your own model, which remembers the conversation',
			},
			credential: () => ({ localLlamaApi: credentials.model! }),
		},
		{
			example: 'dify-chat-streamed',
			listed: {
				name: 'Dify',
				description: 'An app of your Dify, with its knowledge and its files',
			},
			credential: () => ({ difyApi: credentials['dify with images']! }),
		},
	])('$example: listed, two messages, a picture', async ({ example: file, listed, credential }) => {
		const { id } = await published(file, credential());
		const agents = await page.agents();
		const found = agents.find(({ model: { workflowId } }) => workflowId === id);
		expect(found).toMatchObject({ ...listed, metadata: { allowFileUploads: true } });
		const conversation = page.talk(id);
		const first = await conversation.send('My name is Anna');
		expect(first).toMatchObject({ status: 'success', text: 'You said: My name is Anna ' });
		const before = dify.runs.length;
		const second = await conversation.send('What is this?', [PIXEL]);
		expect(second.status).toBe('success');
		expect(second.text).toContain('What is this?');
		if (file === 'dify-chat-streamed') {
			const [one, two] = dify.runs.slice(before - 1);
			expect(two).toMatchObject({
				conversationId: one!.conversationId,
				files: [{ type: 'image', filename: PIXEL.fileName }],
			});
		} else {
			const sent = JSON.stringify(model.requests.at(-1)!.body.messages);
			expect(sent).toContain('My name is Anna');
			expect(sent).toContain(`data:image/png;base64,${PIXEL.data}`);
		}
	});
});

describe('files of a chat message', () => {
	it.each(NODES.slice(1))('$name: a named field without a file is no error', async (answering) => {
		const { id } = await publish(answering, 'lastNode');
		expect(await page.talk(id).send('Hello')).toMatchObject({
			status: 'success',
			text: 'You said: Hello ',
		});
	});
});
