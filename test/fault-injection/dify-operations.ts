/** The operations of the nodes for Dify. */
import type { DifyAppMode } from '../../lib/dify/types';
import {
	addDataset,
	addDocument,
	appKey,
	type AppSpec,
	type DifySim,
	knowledgeKey,
	startDifySim,
} from '../simulators/dify';
import {
	byId,
	CALL_LIMIT_MS,
	execute,
	LIMITS,
	type Operation,
	poll,
	type Setting,
	supply,
	textFor,
} from './operation';

const WORDS =
	'The llama is a domesticated animal of the Andes, and people there keep it for its wool.'.split(
		/(?<= )/,
	);

const limitsOf = ({ limits: { idle, total } }: Setting) => ({
	idleTimeout: idle,
	totalTimeout: total,
	maxRetries: 0,
});

const toService = (sim: DifySim, apiKey: string) => ({
	url: sim.url,
	apiKey,
	close: async () => await sim.close(),
});

const app =
	(mode: DifyAppMode, spec: Partial<AppSpec> = {}) =>
	async () => {
		const sim = await startDifySim({
			apps: [
				{
					mode,
					key: appKey(mode),
					reply: () => WORDS,
					fileUpload: { enabled: true, types: ['document', 'image'], number: 10 },
					...spec,
				},
			],
		});
		return toService(sim, appKey(mode));
	};

/** An app with one answered message. */
const startAnsweredChat = async () => {
	const sim = await app('chat')();
	const response = await fetch(`${sim.url}/chat-messages`, {
		method: 'POST',
		headers: { authorization: `Bearer ${sim.apiKey}`, 'content-type': 'application/json' },
		body: JSON.stringify({ query: 'hi', user: 'u1', inputs: {}, response_mode: 'blocking' }),
	});
	return { ...sim, id: String(((await response.json()) as { message_id: string }).message_id) };
};

/** A knowledge base with two documents. */
const knowledge = async () => {
	const sim = await startDifySim({});
	const base = addDataset(sim.store, { name: 'Papers', technique: 'high_quality' });
	for (const text of ['llama wool', 'the moon'])
		addDocument(sim.store, base, { name: `${text}.txt`, text });
	return { ...toService(sim, knowledgeKey()), id: base.id };
};

const credential = ({ baseUrl, apiKey, ignoreSslIssues }: Setting, keyType = 'app') => ({
	baseUrl,
	apiKey,
	keyType,
	ignoreSslIssues,
});

const base = {
	service: 'dify',
	uploads: false,
	queues: false,
	callsTools: false,
	keepsText: false,
	way: 'call',
	form: 'json',
	limitMs: CALL_LIMIT_MS,
} as const;

const stream = {
	...base,
	uploads: true,
	keepsText: true,
	way: 'stream',
	form: 'dify',
	limitMs: LIMITS.total * 1_000 + 3_000,
} as const;

const is =
	(method: string, ending: RegExp): Operation['target'] =>
	(request) =>
		request.method === method && ending.test(request.path);

const RUN_INPUT = { user: 'u1', inputsMode: 'json', inputsJson: '{}', simplify: true };

const run = async (
	setting: Setting,
	node: string,
	parameters: Record<string, unknown>,
	more: Partial<Parameters<typeof execute>[2]> = {},
) =>
	await execute(setting, node, {
		credentials: credential(setting),
		parameters: { ...RUN_INPUT, options: limitsOf(setting), ...parameters },
		...more,
	});

const file = ({ big }: Setting, fileName = 'a.txt') => ({
	items: [
		{
			json: {},
			binary: { data: { data: 'filesystem-v2', id: 'store:1', mimeType: 'text/plain', fileName } },
		},
	],
	stored: { 'store:1': new Uint8Array(big ? 8_000_000 : 500).fill(97) },
});

export const DIFY_OPERATIONS: readonly Operation[] = [
	{
		...stream,
		node: 'difyChatMessage',
		label: 'Dify Chat Message',
		target: is('POST', /\/chat-messages$/),
		serve: app('chat'),
		run: async (setting) =>
			await run(setting, 'difyChatMessage', { query: textFor(setting, 'hi'), conversation: 'new' }),
	},
	{
		...stream,
		node: 'difyWorkflow',
		label: 'Dify Workflow: Run, Execute',
		target: is('POST', /\/workflows\/run$/),
		serve: app('workflow', {
			form: [{ kind: 'paragraph', variable: 'topic' }],
			reply: () => ({
				steps: WORDS.map((text) => ({ text })),
				outputs: { answer: WORDS.join('') },
			}),
		}),
		run: async (setting) =>
			await run(setting, 'difyWorkflow', {
				resource: 'run',
				operation: 'execute',
				inputsJson: JSON.stringify({ topic: textFor(setting, 'llamas') }),
				files: {},
			}),
	},
	{
		...stream,
		node: 'difyApp',
		label: 'Dify Apps: Text, Generate',
		target: is('POST', /\/completion-messages$/),
		serve: app('completion', { form: [{ kind: 'paragraph', variable: 'topic' }] }),
		run: async (setting) =>
			await run(setting, 'difyApp', {
				resource: 'text',
				operation: 'generate',
				inputsJson: JSON.stringify({ topic: textFor(setting, 'llamas') }),
			}),
	},
	{
		...base,
		node: 'difyApp',
		label: 'Dify Apps: File, Upload',
		way: 'upload',
		uploads: true,
		target: is('POST', /\/files\/upload$/),
		serve: app('chat'),
		// Two minutes without progress, after the system has filled its own buffers.
		limitMs: 250_000,
		run: async (setting) =>
			await run(
				setting,
				'difyApp',
				{ resource: 'file', operation: 'upload', binaryPropertyName: 'data' },
				file(setting),
			),
	},
	{
		...base,
		node: 'difyApp',
		label: 'Dify Apps: App, Get',
		target: is('GET', /\/(?:info|parameters)$/),
		serve: app('chat'),
		run: async (setting) =>
			await run(setting, 'difyApp', {
				resource: 'app',
				operation: 'get',
			}),
	},
	{
		...base,
		node: 'difyConversation',
		label: 'Dify Conversation: Conversation, Get Many',
		target: is('GET', /\/conversations$/),
		serve: app('chat'),
		run: async (setting) =>
			await run(setting, 'difyConversation', {
				resource: 'conversation',
				operation: 'getAll',
				returnAll: true,
			}),
	},
	{
		...base,
		node: 'difyFeedback',
		label: 'Dify Feedback: Rate',
		target: is('POST', /\/feedbacks$/),
		serve: startAnsweredChat,
		run: async (setting) =>
			await run(setting, 'difyFeedback', {
				operation: 'rate',
				messageId: setting.id,
				rating: 'like',
				content: 'good',
				options: {},
			}),
	},
	{
		...base,
		node: 'difyTrigger',
		label: 'Dify Event Trigger',
		isPoll: true,
		target: is('GET', /\/app\/feedbacks$/),
		serve: app('chat'),
		run: async (setting) =>
			await poll(setting, 'difyTrigger', {
				parameters: { event: 'feedback' },
				credentials: credential(setting),
			}),
	},
	{
		...base,
		node: 'difyKnowledge',
		label: 'Dify Knowledge: Knowledge Base, Retrieve',
		limitMs: 2 * 60_000,
		target: is('POST', /\/retrieve$/),
		serve: knowledge,
		run: async (setting) =>
			await withBase(setting, { resource: 'knowledgeBase', operation: 'retrieve', query: 'llama' }),
	},
	{
		...base,
		node: 'difyKnowledge',
		label: 'Dify Knowledge: Document, Create From File',
		way: 'upload',
		uploads: true,
		target: is('POST', /\/document\/create[-_]by[-_]file$/),
		serve: knowledge,
		// Retried if it was lost and did not arrive.
		limitMs: 250_000,
		run: async (setting) =>
			await withBase(
				setting,
				{
					resource: 'document',
					operation: 'upsertFile',
					binaryPropertyName: 'data',
					options: { wait: 0 },
				},
				file(setting, 'new.md'),
			),
	},
	{
		...base,
		node: 'difyRetriever',
		label: 'Dify Retriever',
		limitMs: 2 * 60_000,
		target: is('POST', /\/retrieve$/),
		serve: knowledge,
		run: async (setting) =>
			await supply<{ invoke(query: string): Promise<unknown> }>(
				setting,
				'difyRetriever',
				{
					parameters: { difyDatasetIds: [setting.id], topK: 5, options: {} },
					credentials: credential(setting, 'knowledge'),
				},
				async (retriever) => await retriever.invoke('llama'),
			),
	},
];

async function withBase(
	setting: Setting,
	parameters: Record<string, unknown>,
	more: object = {},
): Promise<unknown> {
	return await execute(setting, 'difyKnowledge', {
		credentials: credential(setting, 'knowledge'),
		parameters: {
			difyDatasetId: byId(setting.id),
			topK: 5,
			simplify: true,
			returnAll: true,
			contentType: 'text',
			dryRun: false,
			source: '',
			options: {},
			...parameters,
		},
		...more,
	});
}
