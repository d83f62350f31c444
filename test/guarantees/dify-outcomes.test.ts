/**
 * What each Dify node that runs an app makes of runs of each kind, with each setting of its output: requests, the item, its
 * files, hints, and what the chat showed.
 */
import type { INodeExecutionData, INodeParameters } from 'n8n-workflow';

import { startGoodServer } from '../faults/good-server';
import type { Reaction } from '../faults/good-server';
import { createCredential, passUntilEnded, withoutIds } from '../faults/harness';
import { listOperations } from '../faults/operations';
import type { OperationResult } from '../faults/operations';
import { expectApproved } from '../support/approved/approved-table';
import { useClock } from './support/fake-clock';
import path from 'node:path';
import { describeNodeError } from '../support/approved/outcome';

const clock = useClock();
const ID = '9d1e5b2f-7a40-4b0c-9d1e-5b2f8a6c7d90';
const CHAT = { task_id: 'task-id', conversation_id: ID, message_id: ID, created_at: 7 };
const FLOW = { ...CHAT, workflow_run_id: ID };

const stream = (...events: object[]): Reaction => ({
	headers: { 'content-type': 'text/event-stream' },
	body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
});
const started = { event: 'workflow_started', ...FLOW, data: { id: ID, workflow_id: ID } };
const says = (answer: string) => ({ event: 'message', ...CHAT, answer });
const node = (data: object) => ({
	event: 'node_finished',
	...FLOW,
	data: { id: 'n', node_id: 'n', node_type: 'llm', title: 'N', ...data },
});
const finished = (status: string, data: object = {}) => ({
	event: 'workflow_finished',
	...FLOW,
	data: { id: ID, status, ...data },
});
const FILE = {
	id: 'f1',
	filename: 'f.txt',
	mime_type: 'text/plain',
	url: '/files/f1.txt?sign=x',
	dify_model_identity: '__dify__file__',
};
const ended = (more: object = {}) => ({
	event: 'message_end',
	...CHAT,
	metadata: {
		usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, latency: 1.5 },
		retriever_resources: [{ position: 1, content: 'c' }],
	},
	...more,
});
const form = (token: string | null) => ({
	form_id: 'form',
	node_id: 'ask',
	node_title: 'Ask',
	form_content: 'Why? {{#$output.note#}}',
	inputs: [{ type: 'paragraph', output_variable_name: 'note' }],
	actions: [{ id: 'yes', title: 'Yes' }],
	form_token: token,
});
const paused = (token: string | null) => ({
	event: 'workflow_paused',
	...FLOW,
	data: {
		workflow_run_id: ID,
		status: 'paused',
		paused_nodes: ['ask'],
		outputs: {},
		reasons: [{ TYPE: 'human_input_required', ...form(token) }],
	},
});

/** Streams by their content. */
const RUNS: Readonly<Record<string, Reaction>> = {
	'a chat': stream(says('One '), says('two.'), ended()),
	'a chat that thinks': stream(says('<think>Hm</think>One.'), ended()),
	'an agent with files': stream(
		{ event: 'agent_thought', ...CHAT, id: 't', tool: 'clock', observation: 'noon' },
		{ event: 'message_file', ...CHAT, ...FILE, type: 'document', belongs_to: 'assistant' },
		says('Noon.'),
		ended({ files: [FILE] }),
	),
	'an agent with a file of no type': stream(
		says('Noon.'),
		ended({ files: [{ ...FILE, mime_type: null, filename: undefined }] }),
	),
	'another conversation': stream(
		{ ...says('One.'), conversation_id: '11111111-2222-4333-8444-555555555555' },
		{ ...ended(), conversation_id: '11111111-2222-4333-8444-555555555555' },
	),
	'a flow': stream(
		started,
		says('One.'),
		node({ status: 'succeeded', outputs: { x: 1 } }),
		finished('succeeded', { outputs: { answer: 'One.' }, total_tokens: 5, elapsed_time: 0.5 }),
		ended(),
	),
	'a workflow with outputs': stream(
		started,
		node({ status: 'succeeded' }),
		finished('succeeded', {
			outputs: { text: 'One.', count: 0, list: { value_type: 'array[file]', value: [FILE] } },
			total_tokens: 0,
		}),
	),
	'handled errors': stream(
		started,
		node({ status: 'exception', error: 'E' }),
		finished('partial-succeeded', { outputs: { text: 'One.' }, exceptions_count: 1 }),
		ended(),
	),
	'a failure': stream(
		started,
		says('One'),
		node({ status: 'failed', error: 'No memory' }),
		finished('failed', { error: 'No memory', outputs: {} }),
	),
	'a rejection': stream(finished('failed', { error: 'city is required', total_steps: 0 })),
	stopped: stream(
		started,
		says('One'),
		finished('stopped', { outputs: { text: 'One two' } }),
		ended(),
	),
	'a form': stream(
		started,
		{ event: 'human_input_required', ...FLOW, data: form('token') },
		paused('token'),
	),
	'a form by email': stream(
		started,
		{ event: 'human_input_required', ...FLOW, data: form(null) },
		paused(null),
	),
	'a submitted form': stream(
		started,
		{
			event: 'human_input_form_filled',
			...FLOW,
			data: { node_id: 'ask', node_title: 'Ask', action_id: 'yes', submitted_data: { note: 'x' } },
		},
		finished('succeeded', { outputs: { text: 'Done.' } }),
		ended(),
	),
	moderated: stream(
		says('Bad'),
		{ event: 'message_replace', ...CHAT, answer: 'No.', reason: 'output_moderation' },
		ended(),
	),
	'an error event': stream(says('One'), {
		event: 'error',
		...CHAT,
		code: 'provider_quota_exceeded',
		status: 400,
		message: 'Quota.',
	}),
	warnings: stream({ event: 'warning', data: { message: 'Slow' } }, says('One.'), ended()),
};

interface Setup {
	parameters?: INodeParameters;
	options?: INodeParameters;
	/** Fields of the item. */
	fields?: INodeExecutionData['json'];
	isTool?: boolean;
}

const OPERATIONS: Readonly<Record<string, Readonly<Record<string, Setup>>>> = {
	'Dify Chat Message': {
		'as added': {},
		'all parts': { options: { include: ['thoughts', 'files', 'sources', 'workflow'] } },
		'not simplified': { parameters: { simplify: false } },
		'pauses are errors': { options: { onPause: 'error' } },
		'a chat session': {
			fields: { sessionId: 's', chatInput: 'hi', action: 'sendMessage' },
			options: { answerField: 'reply' },
		},
		'an existing conversation': {
			parameters: { conversation: 'byId', conversationId: { __rl: true, mode: 'id', value: ID } },
		},
	},
	'Dify Workflow run execute': {
		'as added': {},
		'all parts': { options: { include: ['files', 'nodes', 'text'] } },
		'not simplified': { parameters: { simplify: false } },
		'pauses and failures': { options: { onPause: 'error', onFailure: 'return' } },
	},
	'Dify Workflow run follow': {
		'as added': {},
		'pauses are errors': { options: { onPause: 'error' } },
	},
	'Dify Apps text generate': {
		'as added': {},
		'not simplified': { parameters: { simplify: false } },
	},
};
/** Those that the operation can have; workflows have no messages, and only chats have conversations. */
const isPlayed = (operation: string, run: string): boolean =>
	/chat|agent|conversation/.test(run) ? !/Workflow/.test(operation) : true;

const FORM_FIELDS = { user_input_form: [{ 'text-input': { variable: 'text', label: 'Text' } }] };
const PARAMETERS: Reaction = {
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(FORM_FIELDS),
};
const FILE_CONTENT: Reaction = { headers: { 'content-type': 'text/plain' }, body: 'hello' };

/** A workflow has no conversation. */
function toStream(operation: string, run: Reaction): Reaction {
	if (typeof run !== 'object' || !operation.includes('Workflow')) return run;
	const body = String(run.body).replaceAll(/"(?:conversation_id|message_id)":"[^"]*",?/g, '');
	return { ...run, body: body.replaceAll(',}', '}') };
}

const RUN = /(?:-messages|workflows\/run|\/events)(?:\?.*)?$/;

function describeResult({ items = [], chunks, hints = [], metadata }: OperationResult): string {
	const shown = (chunks as Array<{ type: string; content?: string }>).map(({ type, content }) =>
		type === 'item' ? JSON.stringify(content) : type,
	);
	const texts = items.flat().map(({ json, binary, pairedItem }) => {
		const files = Object.entries(binary ?? {}).map(
			([name, { fileName, mimeType }]) => `${name} ${fileName} ${mimeType}`,
		);
		return [JSON.stringify(json), ...files, `of ${JSON.stringify(pairedItem)}`].join(' ');
	});
	return [
		...texts,
		`chat ${shown.join(' ') || '-'}`,
		`totals ${JSON.stringify(metadata)}`,
		...hints.map(({ message }) => `hint ${message}`),
	].join(' ; ');
}

test.each(Object.keys(OPERATIONS))('%s', async (name) => {
	const operation = (await listOperations()).find((one) => one.name === name)!;
	const cases = Object.entries(OPERATIONS[name]!).flatMap(([setting, setup]) =>
		Object.keys(RUNS)
			.filter((run) => isPlayed(name, run))
			.map((run) => ({ input: `${run}, ${setting}`, run, setup })),
	);
	const runs = new Map<string, Reaction>();
	const server = await startGoodServer(({ name: address, line }) => {
		if (RUN.test(line)) return toStream(name, runs.get(address));
		if (line.includes('/parameters')) return PARAMETERS;
		return line.includes('/files/') ? FILE_CONTENT : undefined;
	});
	const outcomes = new Map<string, Promise<string>>();
	for (const [at, { input, run, setup }] of cases.entries()) {
		const url = server.at(`case ${at}`);
		runs.set(url.slice(url.lastIndexOf('/') + 1), RUNS[run]);
		const { fields, ...rest } = setup;
		const work = operation
			.run({
				...rest,
				credentials: [createCredential(operation, { url, key: 'key' })],
				items: [{ json: { text: 'x', ...fields } }],
			})
			.then(describeResult, describeNodeError);
		outcomes.set(input, work);
	}
	expect(await passUntilEnded(outcomes, { clock, servers: [server] })).toEqual([]);
	const rows = [];
	for (const [at, { input }] of cases.entries()) {
		const requests = server.to(`case ${at}`).map(({ line }) => line.replace(/\?.*/, ''));
		const text = `${requests.join(', ')} ; ${await outcomes.get(input)!}`;
		rows.push({
			input,
			outcome: withoutIds(text.replace(/http:\/\/127\.0\.0\.1:\d+\/[\w-]+/g, 'SERVER')),
		});
	}
	await server.close();
	expectApproved(
		path.join(__dirname, `dify-outcomes.${name.replaceAll(' ', '-')}.approved.txt`),
		rows,
		'A run has the same item, chat and hints for what Dify did, whatever the order of its events',
	);
});
