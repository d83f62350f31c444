/** The rules of observing a run, each with neither a socket nor a clock. */
import * as fc from 'fast-check';
import { createRun } from '../../../../lib/dify/events';
import { AWAITS_SECOND_END } from '../../../../lib/dify/events/termination';
import { difyFailure } from '../../../../lib/dify/errors/failure';
import { DEFAULT_RUN_LIMITS } from '../../../../lib/dify/run/limits';
import type { Action, Fact, Observation, Plan } from '../../../../lib/dify/run/observation';
import { readRecord, type RunRecord } from '../../../../lib/dify/run/record';
import { createObservation, next } from '../../../../lib/dify/run/rules';
import { END_RULES } from '../../../../lib/dify/run/rules/ends';
import { LOOK_RULES } from '../../../../lib/dify/run/rules/looks';
import { WAITING_RULES } from '../../../../lib/dify/run/rules/waiting';
import { examples } from '../../../support/properties';
import { UNKNOWN_ID as RUN } from '../client';

const WAITS: Plan['waits'] = {
	looksMs: { send: [1_000], attach: [500, 700] },
	pauseMs: 100,
	maxPauseMs: 400,
	openMs: 900,
	unknownMs: 2_000,
	unseenMs: 5_000,
	stoppedLooksMs: [0, 50],
};

const LIMITS = {
	firstByteMs: 10_000,
	idleMs: 5_000,
	progressMs: 20_000,
	queueMs: 8_000,
	totalMs: 60_000,
};

const SENT: Plan = {
	begin: 'send',
	limits: LIMITS,
	waits: WAITS,
	stops: true,
	recovery: 'attachOrPoll',
};
const FOLLOWED: Plan = { ...SENT, begin: 'attach', stops: false, recovery: 'attach' };

const HEAD = { url: 'http://dify/v1', headers: {} };
const started = {
	event: 'workflow_started',
	task_id: 't',
	workflow_run_id: RUN,
	data: { id: RUN },
};
const end = (status: string, outputs: object = { text: 'all' }) => ({
	event: 'workflow_finished',
	workflow_run_id: RUN,
	data: { id: RUN, status, outputs },
});
const pausedBy = (token: string) => ({
	event: 'workflow_paused',
	workflow_run_id: RUN,
	data: {
		reasons: [{ TYPE: 'human_input_required', form_id: 'f', node_id: 'n', form_token: token }],
	},
});
const record = (status: string): RunRecord =>
	readRecord({ id: RUN, status, outputs: { text: 'all' } })!;

/** Facts by their short names; those of connections and looks are about the newest one. */
type Told =
	| 'answered'
	| 'ping'
	| 'closed'
	| 'stop'
	| 'stopped'
	| 'not stopped'
	| 'time'
	| 'no record'
	| 'unknown'
	| 'refused'
	| 'no answer'
	| { events: object[] }
	| { failed: Parameters<typeof difyFailure>[0] }
	| { record: RunRecord };

function play(plan: Partial<Plan>, told: ReadonlyArray<readonly [number, Told]>) {
	const whole = { ...SENT, ...plan };
	const run = Object.assign(createRun(), whole.begin === 'attach' ? { workflowRunId: RUN } : {});
	const state = createObservation(whole, run, 0);
	let step = next(state, { type: 'begin' }, 0);
	for (const [at, each] of told) step = next(state, factOf(each, state), at);
	return { state, ...step, does: step.actions.map(nameOf) };
}

function nameOf(action: Action): string {
	return action.do === 'end' ? `end: ${action.ending.how}` : action.do;
}

function factOf(told: Told, { streamCount: stream, lookCount: look }: Observation): Fact {
	const facts: Record<Extract<Told, string>, Fact> = {
		answered: { type: 'answered', stream, head: HEAD },
		ping: { type: 'bytes', stream },
		closed: { type: 'closed', stream, closing: { reason: 'eof' } },
		stop: { type: 'stop', why: { reason: 'cancelled' } },
		stopped: { type: 'stopAnswered', isAccepted: true },
		'not stopped': { type: 'stopAnswered', isAccepted: false },
		time: { type: 'silence' },
		'no record': { type: 'looked', look, without: 'running' },
		refused: { type: 'looked', look, without: 'refused' },
		'no answer': { type: 'looked', look, without: 'failed' },
		unknown: { type: 'looked', look, without: 'unknown' },
	};
	if (typeof told === 'string') return facts[told];
	if ('events' in told) return { type: 'events', stream, events: told.events };
	if ('record' in told) return { type: 'looked', look, record: told.record };
	return {
		type: 'closed',
		stream,
		closing: { reason: 'closed', failed: difyFailure(told.failed) },
	};
}

type Row = [name: string, plan: Partial<Plan>, told: Array<[number, Told]>, does: string[]];

const RUNNING: Array<[number, Told]> = [
	[10, 'answered'],
	[20, { events: [started] }],
];
/** No ID of a run: there is no record of it. */
const CHATTING: Array<[number, Told]> = [
	[10, 'answered'],
	[20, { events: [{ event: 'message', task_id: 't', conversation_id: 'c', answer: 'a' }] }],
];
const LOST: Array<[number, Told]> = [...RUNNING, [30, 'closed']];
const LOOKS_AFTER: Array<[number, Told]> = [...LOST, [40, 'closed']];

const WAITING: Row[] = [
	[
		'the first byte limit ends a request without an answer',
		{},
		[[10_000, 'time']],
		['close', 'end: unanswered'],
	],
	[
		'an attachment that is not answered is tried again',
		FOLLOWED,
		[[900, 'time']],
		['close', 'look'],
	],
	[
		'the queue limit ends the wait for a worker',
		{},
		[
			[10, 'answered'],
			[11, 'ping'],
			[8_010, 'time'],
		],
		['close', 'end: finished'],
	],
	['the idle limit ends a stream without pings', {}, [...CHATTING, [5_020, 'time']], ['stop']],
	[
		'the progress limit ends a stream of pings',
		{},
		[...CHATTING, [20_019, 'ping'], [20_020, 'time']],
		['stop'],
	],
	[
		'the total limit ends the run',
		{ limits: { ...DEFAULT_RUN_LIMITS, totalMs: 60_000 } },
		[...CHATTING, [59_990, 'ping'], [60_000, 'time']],
		['stop'],
	],
	[
		'while the stream is silent, the record is looked at',
		{},
		[...RUNNING, [1_020, 'time']],
		['look'],
	],
	[
		'the record ends the run, once its last events had time to come',
		{},
		[...RUNNING, [1_020, 'time'], [1_100, { record: record('succeeded') }], [2_100, 'time']],
		['close', 'end: recorded'],
	],
	[
		'a stream that stays open after the end of the run is closed',
		{},
		[
			[10, 'answered'],
			[
				20,
				{
					events: [
						{ ...started, workflow_run_id: undefined, data: {} },
						{
							...end('failed'),
							workflow_run_id: undefined,
							data: { status: 'failed' },
							conversation_id: 'c',
						},
					],
				},
			],
			[2_020, 'time'],
		],
		['close', 'end: finished'],
	],
	[
		'Stop waits for the task ID',
		{},
		[
			[10, 'answered'],
			[20, 'stop'],
			[1_020, 'time'],
		],
		['close', 'end: finished'],
	],
	[
		'a stopped run is read to its end, for a while',
		{},
		[...RUNNING, [30, 'stop'], [40, 'stopped'], [3_030, 'time']],
		['close', 'end: finished'],
	],
	[
		'a lost run is attached to, or looked at, again',
		{},
		[...LOOKS_AFTER, [50, 'no record'], [150, 'time']],
		['attach'],
	],
];

const ENDS: Row[] = [
	[
		'a run that was given up ends, whatever its stream said',
		{},
		[...RUNNING, [30, 'stop'], [40, 'stopped'], [50, { events: [end('stopped')] }], [60, 'closed']],
		['close', 'end: finished'],
	],
	[
		'the record wins over a stream that does not tell the end',
		{},
		[...RUNNING, [1_020, 'time'], [1_100, { record: record('succeeded') }], [1_200, 'closed']],
		['close', 'end: recorded'],
	],
	['a refusal is the end', {}, [[10, { failed: 'unauthorized' }]], ['close', 'end: failed']],
	[
		'outputs of a run that was stopped after a form stand in its record only',
		FOLLOWED,
		[
			[10, 'answered'],
			[20, { events: [end('stopped', {})] }],
			[20, 'time'],
		],
		['look'],
	],
	[
		'a pause of a chatflow is attached to once more: its snapshot has the whole text',
		FOLLOWED,
		[
			[10, 'answered'],
			[20, { events: [{ ...pausedBy('tok'), conversation_id: 'c' }] }],
		],
		['close', 'attach'],
	],
	[
		'the events tell the end',
		{},
		[...RUNNING, [30, { events: [end('succeeded')] }]],
		['show', 'close', 'end: finished'],
	],
	[
		'a lost run that cannot be recovered is a failure',
		{ recovery: 'none' },
		LOST,
		['close', 'end: finished'],
	],
	[
		'a run that was lost without an ID is a failure',
		{},
		[
			[10, 'answered'],
			[20, 'closed'],
		],
		['close', 'end: finished'],
	],
	['a new run whose stream was lost is attached to at once', {}, LOST, ['close', 'attach']],
	['after a lost attachment the record is looked at', {}, LOOKS_AFTER, ['close', 'look']],
];

const LOOKS: Row[] = [
	[
		'the record tells the end',
		{},
		[...LOOKS_AFTER, [50, { record: record('succeeded') }]],
		['end: recorded'],
	],
	[
		'a run that can neither be attached to nor looked at is a failure',
		{},
		[...LOST, [40, { failed: 'routeNotFound' }], [50, 'refused']],
		['end: failed'],
	],
	[
		'a run that Dify does not know is waited for only a moment',
		{},
		[...LOOKS_AFTER, [50, 'unknown'], [150, 'time'], [160, 'closed'], [2_050, 'unknown']],
		['end: unknownRun'],
	],
	[
		'a run that neither a stream nor a record shows is waited for only until an API has restarted',
		{},
		[
			...LOST,
			[40, { failed: 'serverError' }],
			[50, 'no answer'],
			[150, 'time'],
			[5_050, 'no answer'],
		],
		['end: failed'],
	],
	[
		'a run that does not get on is given up',
		{},
		[
			...LOOKS_AFTER,
			[50, 'no record'],
			[150, 'time'],
			[160, 'closed'],
			[20_030, 'no record'],
			[20_040, 'stopped'],
		],
		['end: stillRunning'],
	],
	[
		'a run over its total limit is given up',
		{ limits: { ...DEFAULT_RUN_LIMITS, progressMs: 0, totalMs: 1_000 } },
		[...LOOKS_AFTER, [1_050, 'no record'], [1_060, 'stopped']],
		['end: stillRunning'],
	],
	[
		'a run that goes on is attached to again, each time a little later',
		{},
		[...LOOKS_AFTER, [50, { record: record('paused') }]],
		[],
	],
];

test.each([
	['waiting', WAITING_RULES, WAITING],
	['the end of a stream', END_RULES, ENDS],
	['the record of a lost run', LOOK_RULES, LOOKS],
] as const)('every rule of %s has a row', (_name, rules, rows) => {
	expect(rows.map(([name]) => name)).toEqual(rules.map(({ name }) => name));
});

test.each([...WAITING, ...ENDS, ...LOOKS])('%s', (_name, plan, told, does) => {
	expect(play(plan, told).does).toEqual(does);
});

describe('when the rules of waiting apply', () => {
	test.each<[string, Partial<Plan>, Array<[number, Told]>, number | undefined]>([
		['a new request: the first byte', {}, [], 10_000],
		['a limit of 0 is none', { limits: { ...LIMITS, firstByteMs: 0, totalMs: 0 } }, [], undefined],
		['no events: the queue, without an ID nothing is looked at', {}, [[10, 'answered']], 8_010],
		['events: the next look', {}, RUNNING, 1_020],
		['a run without a record: the idle limit', {}, CHATTING, 5_010],
		[
			'looks get rarer',
			FOLLOWED,
			[
				[10, 'answered'],
				[510, 'time'],
				[520, 'no record'],
			],
			1_220,
		],
		['an answered stop', {}, [...RUNNING, [30, 'stop']], 3_030],
		[
			'pauses get longer',
			{},
			[...LOOKS_AFTER, [50, 'no record'], [150, 'time'], [160, 'closed'], [170, 'no record']],
			370,
		],
		[
			'but not over the total limit',
			{ limits: { ...LIMITS, totalMs: 200 } },
			[...LOOKS_AFTER, [150, 'no record']],
			200,
		],
	])('%s', (_name, plan, told, wakeAt) => {
		expect(play(plan, told).wakeAt).toBe(wakeAt);
	});
});

describe('what overlaps', () => {
	test('events while the record is looked at: the stream is not dead', () => {
		const told: Array<[number, Told]> = [
			...RUNNING,
			[1_020, 'time'],
			[1_030, { events: [{ event: 'node_started', data: { id: 'n' } }] }],
			[1_040, { record: record('succeeded') }],
		];
		const { does, state } = play({}, told);
		expect(does).toEqual([]);
		expect(state.stream?.endRecord).toBeUndefined();
	});

	test('a limit runs out, and the record shows the end: nothing is stopped', () => {
		const told: Array<[number, Told]> = [...RUNNING, [1_020, 'time'], [1_030, 'no record']];
		const limits = { ...DEFAULT_RUN_LIMITS, idleMs: 1_500 };
		const { does } = play({ limits }, [
			...told,
			[1_510, 'time'],
			[1_520, { record: record('succeeded') }],
		]);
		expect(does).toEqual(['close', 'end: recorded']);
	});

	test('facts of an old connection change nothing', () => {
		const { state } = play({}, LOST);
		const step = next(state, { type: 'closed', stream: 1, closing: { reason: 'eof' } }, 50);
		expect(step.actions).toEqual([]);
		expect(state.stream?.kind).toBe('attach');
	});

	test('the result waits for the answer to a stop', () => {
		const told: Array<[number, Told]> = [...RUNNING, [30, 'stop'], [40, 'closed']];
		expect(play({}, told).does).toEqual(['close']);
		expect(play({}, [...told, [50, 'stopped']]).does).toEqual(['end: finished']);
	});

	test('a stop that Dify refuses: the run is not read on', () => {
		expect(play({}, [...RUNNING, [30, 'stop'], [40, 'not stopped']]).does).toEqual([
			'close',
			'end: finished',
		]);
	});

	test('a run that is not our own is never stopped', () => {
		expect(play(FOLLOWED, [...RUNNING, [30, 'stop']]).does).toEqual(['close', 'end: finished']);
	});

	test('an API that restarts is waited for, once Dify has confirmed the run', () => {
		expect(play({}, [...LOST, [40, { failed: 'gateway' }]]).does).toEqual(['close', 'look']);
		expect(play(FOLLOWED, [[40, { failed: 'gateway' }]]).does).toEqual(['close', 'end: failed']);
	});
});

test('whatever happens, it ends or waits: never without a time to wake', () => {
	const told = fc.oneof(
		fc.constantFrom<Told>(
			'answered',
			'ping',
			'closed',
			'stopped',
			'not stopped',
			'no record',
			'unknown',
			'time',
			'stop',
		),
		fc.constantFrom<Told>(
			{ events: [started] },
			{ events: [end('succeeded')] },
			{ events: [pausedBy('tok')] },
		),
		fc.constantFrom<Told>(
			{ failed: 'gateway' },
			{ failed: 'runNotFound' },
			{ record: record('paused') },
		),
	);
	const plan = fc.constantFrom<Partial<Plan>>(SENT, FOLLOWED);
	fc.assert(
		fc.property(plan, fc.array(told, { maxLength: 25 }), (chosen, facts) => {
			const state = createObservation(
				{ ...SENT, ...chosen },
				Object.assign(createRun(), { workflowRunId: RUN }),
				0,
			);
			let step = next(state, { type: 'begin' }, 0);
			let pending = 0;
			for (const [at, each] of facts.entries()) {
				if (step.actions.some(({ do: kind }) => kind === 'end')) return;
				step = next(state, factOf(each, state), at * 60);
				pending = state.pendingLook !== undefined || state.ending !== undefined ? 1 : 0;
			}
			const isOver = step.actions.some(({ do: kind }) => kind === 'end');
			expect(isOver || pending > 0 || step.wakeAt !== undefined).toBe(true);
		}),
		examples(500),
	);
});

test('events behind message_end begin the grace anew', () => {
	const ids = { conversation_id: 'c', message_id: 'm', task_id: 't' };
	const messageEnd = { ...ids, event: 'message_end', metadata: {} };
	const node = { ...ids, event: 'node_finished', workflow_run_id: RUN, data: { id: 'n' } };
	const { state } = play({}, [
		[10, 'answered'],
		[20, { events: [started, messageEnd] }],
		[30, { events: [node] }],
	]);
	expect(state.stream?.closesAt).toBe(30 + AWAITS_SECOND_END.closeAfterMs);
});
