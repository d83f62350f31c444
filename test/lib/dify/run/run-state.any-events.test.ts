/** What becomes of a run from any events in any order: its result, what a chat showed, and whether its reader goes on. */
import { finalizeText } from '../../../../lib/dify/run/finalize-text';
import { toRunResult } from '../../../../lib/dify/run/run-result';
import {
	applyEvent,
	createRunState,
	hasEndEvent,
	hasLastEvent,
} from '../../../../lib/dify/run/run-state';
import type { RunResult } from '../../../../lib/dify/types';
import { expectApproved } from '../../../support/approved/approved-table';
import { createDraws } from '../../../support/jest/draws';
import path from 'node:path';

type Event = Readonly<Record<string, unknown>>;

const CHAT = { task_id: 'task', conversation_id: 'conversation', message_id: 'message' };
const FLOW = { ...CHAT, workflow_run_id: 'run' };

const text = (answer: string): Event => ({ event: 'message', ...CHAT, answer });
const node = (name: string, data: object): Event => ({ event: name, ...FLOW, data });
const form = { form_id: 'form', node_id: 'ask', node_title: 'Ask', form_token: 'token' };
const ended = (status: string, data: object = {}): Event => ({
	event: 'workflow_finished',
	...FLOW,
	data: { id: 'run', status, ...data },
});

/** Events by the words with which the table names them. */
const EVENTS: Readonly<Record<string, Event>> = {
	started: node('workflow_started', { id: 'run', workflow_id: 'flow' }),
	'started-replay': {
		event: 'workflow_started',
		task_id: 'run',
		workflow_run_id: 'run',
		data: { id: 'run' },
	},
	'text-A': text('One '),
	'text-B': text('two.'),
	'think-A': text('<think>Hm'),
	'think-B': text('m</think>'),
	'agent-text': { event: 'agent_message', ...CHAT, answer: 'One ' },
	chunk: node('text_chunk', { text: 'two.' }),
	reasoning: node('reasoning_chunk', { reasoning: 'Because. ' }),
	thought: { event: 'agent_thought', ...CHAT, id: 'thought', tool: 'clock', observation: '' },
	observed: { event: 'agent_thought', ...CHAT, id: 'thought', tool: '', observation: 'noon' },
	file: { event: 'message_file', ...CHAT, id: 'file', type: 'image', url: 'http://d/f?sign=a' },
	'file-again': {
		event: 'message_end',
		...CHAT,
		files: [{ id: 'file', filename: 'f.png', url: 'http://d/f?sign=b' }],
	},
	begun: node('node_started', { id: 'n', node_id: 'n', node_type: 'llm', title: 'N', index: 1 }),
	done: node('node_finished', { id: 'n', status: 'succeeded', outputs: { text: 'x' } }),
	broken: node('node_finished', { id: 'n', status: 'failed', error: 'No memory' }),
	handled: node('node_finished', { id: 'n', status: 'exception', error: 'No disk' }),
	retried: node('node_retry', { id: 'n', status: 'retry', error: 'Busy' }),
	'retried-2': node('node_retry', { id: 'n', retry_index: 2, error: 'Busy' }),
	pass: node('iteration_next', { id: 'loop', node_type: 'iteration', index: 0 }),
	'pass-done': node('iteration_completed', { id: 'loop', steps: 3, status: 'succeeded' }),
	form: node('human_input_required', form),
	'form-mail': node('human_input_required', { form_id: 'mail', node_id: 'mail' }),
	asking: node('node_finished', {
		id: 'ask',
		node_id: 'ask',
		node_type: 'human-input',
		status: 'paused',
	}),
	answered: node('node_finished', {
		id: 'ask',
		node_id: 'ask',
		node_type: 'human-input',
		title: 'Ask',
		status: 'succeeded',
		outputs: { __action_id: 'yes', note: 'fine', __x: 1 },
	}),
	'answered-unsaid': node('node_finished', {
		id: 'ask',
		node_id: 'ask',
		node_type: 'human-input',
		status: 'succeeded',
	}),
	filled: node('human_input_form_filled', { node_id: 'ask', node_title: 'Ask', action_id: 'no' }),
	expired: node('human_input_form_timeout', { node_id: 'ask', node_title: 'Ask' }),
	paused: node('workflow_paused', { paused_nodes: ['ask'], reasons: [], outputs: {} }),
	'paused-form': node('workflow_paused', {
		paused_nodes: ['ask'],
		reasons: [{ TYPE: 'human_input_required', ...form }],
		outputs: { answer: 'One two. Three' },
	}),
	replaced: { event: 'message_replace', ...CHAT, answer: 'No.', reason: 'output_moderation' },
	'replaced-start': { event: 'message_replace', ...CHAT, answer: 'One ' },
	'replaced-end': {
		event: 'message_replace',
		...CHAT,
		answer: 'One ',
		reason: 'workflow_failed_terminal',
	},
	end: {
		event: 'message_end',
		...CHAT,
		id: 'message',
		metadata: {
			usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
			retriever_resources: [{ position: 1 }],
		},
	},
	'end-zero': {
		event: 'message_end',
		...CHAT,
		metadata: { usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } },
	},
	succeeded: ended('succeeded', {
		outputs: { answer: 'One two.' },
		finished_at: 9,
		total_tokens: 0,
	}),
	'succeeded-other': ended('succeeded', { outputs: { answer: 'Other.' } }),
	partial: ended('partial-succeeded', { outputs: { answer: 'One two.' }, exceptions_count: 1 }),
	stopped: ended('stopped', { outputs: { answer: 'One two. Three.' }, error: 'By user' }),
	failed: ended('failed', { error: 'No memory' }),
	'failed-unsaid': ended('failed', { total_steps: 0 }),
	aborted: ended('failed', { error: 'Workflow execution aborted: user' }),
	'too-long': ended('stopped', { error: 'aborted: Maximum execution steps exceeded' }),
	'ended-paused': ended('paused', { reasons: [] }),
	'ended-replay': {
		event: 'workflow_finished',
		task_id: 'run',
		workflow_run_id: 'run',
		data: { id: 'run', status: 'succeeded', outputs: { text: 'One two.' } },
	},
	error: { event: 'error', code: 'quota', status: 400, message: 'Quota exceeded.' },
	'error-unsaid': { event: 'error', message: null },
	'error-stop': { event: 'error', message: 'Run failed: aborted: user' },
	warning: { event: 'warning', data: { message: ' Slow ' } },
	ping: { event: 'ping' },
	other: { event: 'tts_message', ...CHAT, audio: 'x' },
	'no-event': { answer: 'x' },
};
const NAMES = Object.keys(EVENTS);
const STARTS = [
	['started'],
	['started-replay'],
	['text-A'],
	['text-A', 'text-B'],
	['started', 'text-A', 'begun'],
	[],
];
const ENDS = NAMES.slice(NAMES.indexOf('paused'), NAMES.indexOf('warning'));
/** Mostly, a run goes on after them. */
const BEFORE = NAMES.filter((name) => !ENDS.includes(name) || name.startsWith('replaced'));

/** How a run is read. */
const READERS = {
	sent: {},
	followed: { mayLackText: true },
	awaited: { mayLackText: true, continueAfterPause: true },
	nodes: { keepsNodeValues: true },
} as const;

const SHOWN_NODE_FIELDS = ['title', 'index', 'retries', 'passes', 'error', 'outputs'] as const;

function describeResult(result: RunResult): string {
	const { status, text: answer, workflow, pause, error, reasoning, warnings, ...rest } = result;
	const ids = (['taskId', 'conversationId', 'messageId', 'workflowRunId'] as const).filter(
		(name) => rest[name] !== undefined,
	);
	const nodes = workflow?.nodes.map(
		(one) =>
			`${one.id}=${one.status}${JSON.stringify(SHOWN_NODE_FIELDS.map((name) => one[name] ?? 0))}`,
	);
	const parts = {
		ids: ids.map((name) => `${name[0]!}${name === 'taskId' ? `:${rest.taskId}` : ''}`).join(' '),
		workflow: workflow?.status,
		nodes: nodes?.join(' '),
		error: error && [error.cause, error.code, error.status, error.message].join(':'),
		reasoning,
		forms: pause?.forms.map(({ formId, formToken }) => `${formId} ${formToken}`).join('+'),
		reasons: pause?.reasons.length,
		submitted: JSON.stringify(result.submittedForms),
		usage: (result.usage as { total_tokens?: number } | undefined)?.total_tokens,
		sources: result.retrieverResources.length,
		files: JSON.stringify(result.files),
		thoughts: JSON.stringify(result.thoughts),
		warnings: warnings.join('|'),
	};
	const shown = Object.entries(parts)
		.filter(([, value]) => value !== undefined && value !== '' && value !== '[]' && value !== 0)
		.map(([name, value]) => `${name} ${value}`);
	return [`${status} ${JSON.stringify(answer)}`, ...shown].join('; ');
}

/** The outcome of events, as one line. */
function play(reader: keyof typeof READERS, names: readonly string[]): string {
	const run = createRunState(READERS[reader]);
	const deltas = names.flatMap((name) => applyEvent(run, EVENTS[name]));
	const reading = hasLastEvent(run) ? 'ended' : hasEndEvent(run) ? 'ending' : 'reading';
	deltas.push(...finalizeText(run));
	const shown = deltas.map((delta) =>
		delta.type === 'append'
			? JSON.stringify(delta.text)
			: `${delta.type} ${JSON.stringify(delta.text)}`,
	);
	return `${reading}; shown ${shown.join(' ') || 'nothing'}; ${describeResult(toRunResult(run))}`;
}

const { oneOf, count } = createDraws(1);

/** Each event after some beginnings, each one twice, each end after a text, and made-up sequences. */
const SEQUENCES = [
	...NAMES.map((name) => [...oneOf(STARTS), name]),
	...BEFORE.map((name) => ['started', name, name]),
	...ENDS.map((name) => ['started', 'text-A', 'text-B', name]),
	...Array.from({ length: 150 }, () => [
		...oneOf(STARTS),
		...Array.from({ length: count(1, 5) }, () => oneOf(BEFORE)),
		...Array.from({ length: count(1, 2) }, () => oneOf(ENDS)),
	]),
];

/** A run that asks a second time, whichever of the events about the first answer arrived. */
const ASKED_AGAIN = ['answered', 'answered-unsaid', 'filled', 'expired', 'asking'].flatMap(
	(answer) => [
		['started', 'form', answer, 'form-mail', 'paused'],
		['started', answer, 'form-mail', 'paused'],
		['started', 'form', 'paused', answer, 'form-mail', 'paused'],
	],
);

test('the result of each sequence of events is the approved one', () => {
	const readers = Object.keys(READERS) as Array<keyof typeof READERS>;
	const outcomes = new Map(
		SEQUENCES.map((names) => {
			const reader = oneOf(readers);
			return [`${reader}: ${names.join(' ')}`, play(reader, names)] as const;
		}),
	);
	for (const names of ASKED_AGAIN)
		outcomes.set(`awaited: ${names.join(' ')}`, play('awaited', names));
	const rows = [...outcomes].map(([input, outcome]) => ({ input, outcome }));
	expectApproved(
		path.join(__dirname, 'run-state.any-events.approved.txt'),
		rows,
		'A run has one result for its events, and its text is shown once',
	);
});
