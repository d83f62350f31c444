/** Answers whose stream was cut: the result is whole or an error, never less, and so is what was typed. */
import { conclude } from '../../../../lib/dify/run/endings';
import type { Action, Fact, Plan } from '../../../../lib/dify/run/observation';
import { DEFAULT_RUN_LIMITS } from '../../../../lib/dify/run/limits';
import { readRecord } from '../../../../lib/dify/run/record';
import { createObservation, next } from '../../../../lib/dify/run/rules';
import { createRun } from '../../../../lib/dify/events';
import type { DifyAppMode, RunResult, TextDelta } from '../../../../lib/dify/types';
import { parseObject } from '../../../../lib/json';
import { recordOf, type JsonRecord } from '../../../../lib/values';
import type { Script } from '../../../servers/dify';
import { httpFixture, sseData } from '../../../support/streams';
import { clientOf } from '../client';
import { playScript, said, scriptText } from '../play';

const PLAN: Plan = {
	begin: 'send',
	limits: DEFAULT_RUN_LIMITS,
	waits: {
		looksMs: { send: [1], attach: [1] },
		pauseMs: 1,
		maxPauseMs: 1,
		openMs: 1_000,
		unknownMs: 1,
		unseenMs: 1,
		stoppedLooksMs: [],
	},
	stops: false,
	recovery: 'attachOrPoll',
};

const HEAD = { url: 'http://127.0.0.1:9/v1', headers: {} };

/** What a lost run still says. */
interface Lost {
	/** Events of the stream until it was cut. */
	first: JsonRecord[];
	/** Events of the stream that was attached to. */
	attached: JsonRecord[];
	/** Events of further ones. */
	later?: JsonRecord[];
	/** The record of the run, which is looked at once its streams have ended. */
	record?: JsonRecord;
}

interface Observed {
	result?: RunResult;
	error?: Error;
	shown: string;
}

/** Observes such a run, without a server. */
async function observe({ first, attached, later = [], record }: Lost): Promise<Observed> {
	const state = createObservation(PLAN, createRun(), 0);
	const streams = [first, attached, later];
	let shown = '';
	const show = (deltas: TextDelta[]) => {
		for (const { type, text } of deltas) shown = type === 'append' ? shown + text : text;
	};
	const facts: Fact[] = [{ type: 'begin' }];
	const perform = (action: Action) => {
		if (action.do === 'show') show(action.deltas);
		if (action.do === 'send' || action.do === 'attach') {
			const { stream } = action;
			facts.push({ type: 'answered', stream, head: HEAD });
			for (const event of streams.shift() ?? [])
				facts.push({ type: 'events', stream, events: [event] });
			facts.push({ type: 'closed', stream, closing: { reason: 'eof' } });
		}
		if (action.do === 'look') {
			const known = record === undefined ? undefined : readRecord(record);
			const sight = known === undefined ? { without: 'unknown' as const } : { record: known };
			facts.push({ type: 'looked', look: action.look, ...sight });
		}
	};
	for (let now = 0; ; now++) {
		const { actions } = next(state, facts.shift() ?? { type: 'silence' }, now);
		actions.forEach(perform);
		const last = actions.find((action) => action.do === 'end');
		if (last === undefined) continue;
		const display = {
			onDeltas: async (deltas: TextDelta[]) => await Promise.resolve(show(deltas)),
		};
		const client = clientOf({ url: HEAD.url });
		const concluding = conclude({ client, state, display, url: HEAD.url }, last.ending);
		return await concluding.then(
			(result) => ({ result, shown }),
			(error: Error) => ({ error, shown }),
		);
	}
}

function eventsIn(text: string | Buffer): JsonRecord[] {
	return sseData(text).map((data) => JSON.parse(data) as JsonRecord);
}

/** The events of a text that is cut after some bytes: a half event is none. */
function eventsUntil(text: string, bytes: number): JsonRecord[] {
	const kept = Buffer.from(text).subarray(0, bytes).toString();
	return eventsIn(kept.slice(0, kept.lastIndexOf('\n\n') + 2));
}

describe('recorded', () => {
	const streamOf = (name: string) => eventsIn(httpFixture(`${name}.http`).body);
	const recordOfRun = (name: string) => parseObject(httpFixture(`${name}.http`).body.toString());
	const long =
		'Das schnelle Füchslein springt über den faulen Hund and then 你好 世界 🦙 says hello again while the moon rises slowly over quiet hills Das schnelle Füchslein springt über den';
	const words = (count: number, word: string) =>
		Array.from({ length: count }, (_, at) => `${word}${at} `).join('');

	test.each<[string, string, string, string | undefined, string]>([
		[
			'1.16.1, text of a model',
			'dify-1.16.1/lost-llm-chatflow.01',
			'dify-1.16.1/lost-llm-chatflow.02',
			undefined,
			words(30, 'wort'),
		],
		[
			'1.16.1, static text',
			'dify-1.16.1/lost-chatflow-node_started.01',
			'dify-1.16.1/lost-chatflow-node_started.02',
			'dify-1.16.1/lost-chatflow-node_started.03',
			'You said cutc|cf',
		],
		[
			'1.14.2, with a snapshot',
			'dify-1.14.2/reattach-flow-snapshot-first',
			'dify-1.14.2/reattach-flow-snapshot',
			undefined,
			long,
		],
		[
			'1.14.2, without one',
			'dify-1.14.2/reattach-flow-plain-first',
			'dify-1.14.2/reattach-flow-plain',
			undefined,
			long,
		],
		[
			'1.16.0, two seconds later',
			'dify-1.16.0/reattach-flow-gap-first',
			'dify-1.16.0/reattach-flow-gap',
			'dify-1.16.0/reattach-flow-gap-detail',
			'',
		],
		[
			'1.16.0, with a snapshot',
			'dify-1.16.0/reattach-flow-snapshot-first',
			'dify-1.16.0/reattach-flow-snapshot',
			'dify-1.16.0/reattach-flow-snapshot-detail-later',
			'',
		],
	])('a chatflow of %s: the whole answer', async (_name, first, attached, record, answer) => {
		const lost = {
			first: streamOf(first),
			attached: streamOf(attached),
			record: record === undefined ? undefined : recordOfRun(record),
		};
		const { result, error, shown } = await observe(lost);
		expect(error).toBeUndefined();
		const outputs = recordOf(result!.workflow!.outputs);
		expect(result).toMatchObject({ status: 'succeeded', text: answer || outputs.answer });
		expect(shown).toBe(result!.text);
	});

	test('a workflow of 1.16.1, cut after each of its events: its outputs', async () => {
		const attached = streamOf('dify-1.16.1/lost-workflow.01');
		const running = recordOfRun('dify-1.16.1/lost-workflow.02');
		for (let kept = 1; kept < attached.length; kept++) {
			const lost = { first: attached.slice(0, kept), attached, record: running };
			const { result, error, shown } = await observe(lost);
			expect(error).toBeUndefined();
			expect(result).toMatchObject({
				status: 'succeeded',
				text: 'cut|done',
				workflow: { outputs: { r: 'cut|done' } },
			});
			expect(['', 'cut|done']).toContain(shown);
		}
	});
});

const FORM = {
	nodeId: 'ask',
	nodeTitle: 'Ask',
	content: '?',
	actions: [{ id: 'ok', title: 'OK' }],
};

const SCRIPTS: Array<[string, DifyAppMode, Script]> = [
	[
		'a chatflow with text of a model',
		'advanced-chat',
		{ steps: [{ node: { id: 'a' } }, ...said('wort1 ', '你好 ', 'wort3')] },
	],
	[
		'a chatflow with static text',
		'advanced-chat',
		{ steps: [...said('Static. '), { node: { id: 'a' } }, ...said('More.')] },
	],
	[
		'a moderated chatflow',
		'advanced-chat',
		{ steps: [...said('bad ', 'words'), { replace: 'Withheld.' }] },
	],
	[
		'a chatflow with a form',
		'advanced-chat',
		{ steps: [...said('Please ', 'wait.'), { pause: [FORM] }] },
	],
	[
		'a workflow',
		'workflow',
		{ steps: [{ node: { id: 'a' } }, ...said('par', 'tial')], outputs: { text: 'partial' } },
	],
	[
		'a workflow with two texts',
		'workflow',
		{ steps: said('one', 'two'), outputs: { a: 'one', b: 'two' } },
	],
	['an agent', 'agent-chat', { steps: [{ round: { chunks: ['wort1 ', 'wort2'] } }] }],
	['a text generator', 'completion', { steps: said('wort1 ', 'wort2') }],
];

/** What attaching brings after some events: Dify stores the text at a pause only. */
function attachedAfter(all: JsonRecord[], missed: number, mode: DifyAppMode): JsonRecord[] {
	const end = all.find(({ event }) => event === 'workflow_finished' || event === 'workflow_paused');
	const begun = all.find(({ event }) => event === 'workflow_started');
	if (begun === undefined) return [];
	const runId = begun.workflow_run_id;
	if (missed >= all.length && end?.event === 'workflow_paused') return pausedSnapshot(all);
	if (missed >= all.length && end?.event === 'workflow_finished')
		return [{ event: 'workflow_finished', task_id: runId, workflow_run_id: runId, data: end.data }];
	const shared = { task_id: begun.task_id, workflow_run_id: runId };
	const replacement = {
		...shared,
		event: 'message_replace',
		answer: '',
		reason: '',
		conversation_id: 'c',
	};
	return [begun, ...(mode === 'advanced-chat' ? [replacement] : []), ...all.slice(missed)];
}

function pausedSnapshot(all: JsonRecord[]): JsonRecord[] {
	const answer = all.map((event) => (event.event === 'message' ? event.answer : '')).join('');
	const [begun] = all;
	const pause = all.filter(({ event }) => event === 'workflow_paused');
	if (pause.length === 0) return [];
	const ids = { task_id: begun!.task_id, workflow_run_id: begun!.workflow_run_id };
	return [begun!, { ...ids, event: 'message_replace', answer, reason: '' }, ...pause];
}

function recordFor(all: JsonRecord[]): JsonRecord | undefined {
	const end = all.find(({ event }) => event === 'workflow_finished');
	return end === undefined ? undefined : { ...recordOf(end.data), id: end.workflow_run_id };
}

describe('cut at every byte', () => {
	test.each(SCRIPTS)('%s', async (_name, mode, script) => {
		const text = scriptText(mode, script);
		const all = eventsIn(text);
		const { result: whole } = playScript(mode, script);
		const seen = new Set<number>();
		for (let bytes = 0; bytes <= Buffer.byteLength(text); bytes++) {
			const first = eventsUntil(text, bytes);
			// Between two ends of events nothing changes.
			if (seen.has(first.length)) continue;
			seen.add(first.length);
			for (let missed = first.length; missed <= all.length; missed++) {
				const attached = attachedAfter(all, missed, mode);
				for (const record of [undefined, recordFor(all)]) {
					const later = pausedSnapshot(all);
					const { result, error, shown } = await observe({ first, attached, later, record });
					if (error !== undefined) continue;
					expect([missed, result!.status]).toEqual([missed, whole.status]);
					expect(shown).toBe(result!.text);
					expect(result!.workflow?.outputs).toEqual(whole.workflow?.outputs);
					// The result of a workflow is its outputs. A gap in its preview is a warning.
					const hasGap = result!.text === '' || result!.warnings.join().includes('gap');
					if (mode === 'workflow' && hasGap) continue;
					expect([missed, result!.text]).toEqual([missed, whole.text]);
				}
			}
		}
		expect(seen.size).toBeGreaterThan(3);
	});
});
