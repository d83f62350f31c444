/** What a run keeps of its events: only what the item needs, in linear time, and up to a limit in memory. */
import { applyEvent, createRunState } from '../../../../lib/dify/run/run-state';
import { finalizeText } from '../../../../lib/dify/run/finalize-text';
import { toRunResult } from '../../../../lib/dify/run/run-result';
import type { RunState } from '../../../../lib/dify/run/run-state';
import type { RunResult } from '../../../../lib/dify/types';
import { cpuMilliseconds } from '../../../support/measures/cpu-time';

const EMPTY_OBJECTS = Array.from({ length: 150_000 }, () => ({}));
const node = (id: number, fields: object) => ({
	event: 'node_finished',
	task_id: 't',
	data: { id: `n${id}`, node_id: `n${id}`, status: 'succeeded', ...fields },
});
const END = {
	event: 'workflow_finished',
	data: { status: 'succeeded', outputs: { text: 'done' } },
};

function play(events: Iterable<object>, options = {}): { run: RunState; result: RunResult } {
	const run = createRunState(options);
	for (const event of events) applyEvent(run, event);
	finalizeText(run);
	return { run, result: toRunResult(run) };
}

test('the values of nodes are kept only if they are requested', () => {
	const values = {
		inputs: { a: 1 },
		outputs: { b: 2 },
		process_data: { c: 3 },
		execution_metadata: { d: 4 },
		files: [{ id: 'f' }],
		error: 'failed',
		elapsed_time: 5,
	};
	const events = [node(1, { ...values, status: 'failed' }), END];
	const kept = { id: 'n1', status: 'failed', error: 'failed', elapsedTime: 5 };
	const [without] = play(events).result.workflow!.nodes;
	expect(without).toMatchObject(kept);
	expect(JSON.stringify(without)).not.toMatch(
		/"(?:inputs|outputs|processData|executionMetadata|files)"/,
	);
	const [withValues] = play(events, { keepsNodeValues: true }).result.workflow!.nodes;
	expect(withValues).toMatchObject({
		...kept,
		inputs: { a: 1 },
		outputs: { b: 2 },
		processData: { c: 3 },
		executionMetadata: { d: 4 },
		files: [{ id: 'f' }],
	});
});

test.each<[string, (id: number) => object]>([
	['outputs of nodes', (id) => node(id, { outputs: EMPTY_OBJECTS })],
	['inputs of nodes', (id) => node(id, { inputs: { list: EMPTY_OBJECTS } })],
	['files of nodes', (id) => node(id, { files: EMPTY_OBJECTS })],
	['errors of nodes', (id) => node(id, { status: 'exception', error: 'x'.repeat(3_000_000) })],
	['thoughts', (id) => ({ event: 'agent_thought', id: `t${id}`, observation: EMPTY_OBJECTS })],
	[
		'files',
		(id) => ({ event: 'message_file', id: `f${id}`, url: `/${'x'.repeat(5_000_000)}${id}` }),
	],
	[
		'forms',
		(id) => ({ event: 'human_input_required', data: { form_id: `f${id}`, inputs: EMPTY_OBJECTS } }),
	],
	[
		'expired forms',
		(id) => ({
			event: 'human_input_form_timeout',
			data: { node_title: 'x'.repeat(3_000_000) + id },
		}),
	],
	[
		'submitted forms',
		(id) => ({
			event: 'human_input_form_filled',
			data: { node_title: 'x'.repeat(3_000_000) + id, action_id: 'a' },
		}),
	],
])('too many %s are left out, and a warning says so', (_name, toEvent) => {
	const events = Array.from({ length: 12 }, (_none, id) => toEvent(id));
	const { run, result } = play([...events, END], { keepsNodeValues: true });
	expect(run.partsBudget.omissions).toBeGreaterThan(0);
	expect(run.partsBudget.omissions).toBeLessThan(12);
	expect(result.warnings).toContainEqual(
		expect.stringMatching(
			/^The run sent more data than is kept \(32 MB of memory\), so \d+ parts /,
		),
	);
	expect(result).toMatchObject({ status: 'succeeded', text: 'done' });
});

test('a run of usual size has no such warning', () => {
	const events = Array.from({ length: 2_000 }, (_none, id) =>
		node(id, { title: `Step ${id}`, outputs: { text: 'x'.repeat(2_000) } }),
	);
	const { result } = play([...events, END], { keepsNodeValues: true });
	expect(result.warnings).toEqual([]);
	expect(result.workflow!.nodes).toHaveLength(2_000);
});

test('of thousands of retried and handled nodes, a warning names the first', () => {
	const events = Array.from({ length: 3_000 }, (_none, id) => [
		{ event: 'node_retry', data: { id: `n${id}`, title: `Step ${id}`, status: 'retry' } },
		node(id, { status: 'exception', error: 'x' }),
	]).flat();
	const { warnings } = play([
		...events,
		{ ...END, data: { ...END.data, status: 'partial-succeeded' } },
	]).result;
	expect(warnings.length).toBeLessThan(30);
	expect(warnings).toContain('2980 more workflow nodes were retried.');
	expect(Math.max(...warnings.map(({ length }) => length))).toBeLessThan(500);
});

describe('forms, submissions and pauses take a time that is linear in their number', () => {
	const form = (id: number) => ({
		event: 'human_input_required',
		data: { form_id: `f${id}`, node_id: `n${id}`, form_token: `t${id}` },
	});
	const filled = (id: number) => ({
		event: 'human_input_form_filled',
		data: { node_id: `n${id}`, node_title: `N${id}`, action_id: `a${id}` },
	});
	const action = (id: number) =>
		node(id, { node_type: 'human-input', title: `N${id}`, outputs: { __action_id: `a${id}` } });
	const pause = { event: 'workflow_paused', data: { reasons: [] } };
	const count = 20_000;
	const range = Array.from({ length: count }, (_none, index) => index);
	/** Each of them took several seconds; now some milliseconds. */
	const MAX_CPU_MS = 1_000;

	it.each<[string, object[]]>([
		['forms that stay open', range.map(form)],
		['forms that are submitted in their order', [...range.map(form), ...range.map(filled)]],
		['forms that are submitted at once', range.flatMap((id) => [form(id), filled(id)])],
		[
			'forms that are submitted from the last on',
			[...range.map(form), ...range.toReversed().map(filled)],
		],
		[
			'forms of one node',
			range.flatMap((id) => [{ ...form(id), data: { ...form(id).data, node_id: 'n' } }, filled(0)]),
		],
		['actions of nodes', range.map(action)],
		['pauses of forms that are awaited', [form(1), ...range.map(() => pause)]],
		[
			'pauses after many nodes',
			[...range.map((id) => node(id, {})), form(1), ...range.map(() => pause)],
		],
		[
			'pauses with their forms',
			[...range.slice(0, 900).map(form), ...range.slice(0, 3_000).map(() => pause)],
		],
	])('the time is linear: %s', (_name, events) => {
		const work = () => void play(events, { continueAfterPause: true });
		expect(cpuMilliseconds(work)).toBeLessThan(MAX_CPU_MS);
	});

	it('at most 1,000 forms are open', () => {
		const { run, result } = play([...range.map(form), { event: 'workflow_paused', data: {} }]);
		expect(result.pause!.forms).toHaveLength(1_000);
		expect(run.partsBudget.omissions).toBe(count - 1_000);
	});
});
