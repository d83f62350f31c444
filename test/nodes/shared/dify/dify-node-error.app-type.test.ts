/** A key of an app of another type: each operation names the type and the right node, also behind n8n's chat. */
import type { DifyAppMode } from '../../../../lib/dify/types';
import { startApp, UNKNOWN_ID } from '../../../lib/dify/client';
import { executePrepared, getNodeError, prepareNode } from '../../dify';
import type { DifyNodeName } from '../../dify';

type Parameters = Record<string, unknown>;

const byId = (value: string) => ({ __rl: true, mode: 'id', value });
const conversationId = byId(UNKNOWN_ID);

/** Operations whose routes are for some types of apps only. */
const OPERATIONS: Array<[name: string, node: DifyNodeName, modes: DifyAppMode[], Parameters]> = [
	['Send', 'difyChatMessage', ['workflow', 'completion'], {}],
	['Send, latest', 'difyChatMessage', ['workflow', 'completion'], { conversation: 'latest' }],
	[
		'Send, existing',
		'difyChatMessage',
		['workflow', 'completion'],
		{ conversation: 'byId', conversationId },
	],
	['Execute', 'difyWorkflow', ['chat', 'agent-chat', 'advanced-chat', 'completion'], {}],
	[
		'Follow',
		'difyWorkflow',
		['chat', 'agent-chat', 'completion'],
		{ resource: 'run', operation: 'follow', workflowRunId: UNKNOWN_ID },
	],
	[
		'Get',
		'difyWorkflow',
		['chat', 'agent-chat', 'completion'],
		{ resource: 'run', operation: 'get', workflowRunId: UNKNOWN_ID },
	],
	[
		'Stop',
		'difyWorkflow',
		['chat', 'completion'],
		{ resource: 'run', operation: 'stop', taskId: UNKNOWN_ID },
	],
	[
		'Generate',
		'difyApp',
		['chat', 'agent-chat', 'advanced-chat', 'workflow'],
		{ resource: 'text', operation: 'generate', text: '' },
	],
	[
		'Get Many Conversations',
		'difyConversation',
		['workflow', 'completion'],
		{ resource: 'conversation', operation: 'getAll', returnAll: true },
	],
	[
		'Get Many Messages',
		'difyConversation',
		['workflow', 'completion'],
		{ resource: 'message', operation: 'getAll', conversationId, returnAll: true },
	],
	[
		'Delete',
		'difyConversation',
		['workflow', 'completion'],
		{ resource: 'conversation', operation: 'delete', conversationId },
	],
	[
		'Suggested Questions',
		'difyConversation',
		['workflow', 'completion'],
		{ resource: 'message', operation: 'getSuggested', messageId: UNKNOWN_ID },
	],
	[
		'Get Many Variables',
		'difyConversation',
		['workflow', 'completion'],
		{ resource: 'variable', operation: 'getAll', conversationId, returnAll: true },
	],
];

const NAMES: Readonly<Record<DifyAppMode, [name: string, node: string]>> = {
	chat: ['a chatbot', 'Dify Chat Message'],
	'agent-chat': ['an agent', 'Dify Chat Message'],
	agent: ['an agent', 'Dify Chat Message'],
	'advanced-chat': ['a chatflow', 'Dify Chat Message'],
	completion: ['a text generator', 'Dify Apps'],
	workflow: ['a workflow', 'Dify Workflow'],
};

const CASES = OPERATIONS.flatMap(([name, node, modes, parameters]) =>
	modes.map((mode) => ({ name, node, mode, parameters })),
);

/** How the node is run: the item, and whether its response is streamed. */
const WAYS = [
	['outside a chat', {}, false],
	['behind a chat', { chatInput: 'hi', sessionId: 's1' }, false],
	['streamed into a chat', { chatInput: 'hi', sessionId: 's1' }, true],
] as const;

describe.each(WAYS)('the type of an app, %s', (_way, json, streaming) => {
	test.each(CASES)('$node: $name with the key of an app "$mode"', async (row) => {
		const { node, mode, parameters } = row;
		const sim = await startApp({ mode });
		const isChat = 'sessionId' in json && node === 'difyChatMessage';
		const chat =
			isChat && parameters.conversation === undefined ? { conversation: 'auto', user: 's1' } : {};
		const fake = prepareNode(node, sim, {
			mode,
			parameters: { ...parameters, ...chat },
			items: [{ json }],
			streaming,
		});
		const error = await getNodeError(executePrepared(node, fake));
		const [type, rightNode] = NAMES[mode];
		const suggestion = `This key belongs to ${type}: use the ${rightNode} node for this app, or the key of another app.`;
		expect(error.description!.split(suggestion)).toHaveLength(2);
		expect(error.context.data).toMatchObject({ type: 'wrongAppType', appMode: mode });
		const infos = sim.requests.filter(({ path }) => path.endsWith('/info'));
		expect(infos).toHaveLength(1);
		const shown = fake.chunks.map(({ content }) => JSON.stringify(content ?? '')).join('');
		expect(shown.split('app mode matches').length).toBeLessThanOrEqual(2);
	});
});

test('an app of an unknown type keeps the words of Dify', async () => {
	const sim = await startApp({ mode: 'workflow' });
	sim.fail({
		method: 'GET',
		path: '/info',
		times: 9,
		status: 200,
		body: '{"mode":"rag-pipeline"}',
	});
	const error = await getNodeError(
		executePrepared('difyChatMessage', prepareNode('difyChatMessage', sim, { mode: 'workflow' })),
	);
	expect(error.context.data).toMatchObject({ type: 'wrongAppType' });
	expect(error.message).toContain('app mode matches');
});
