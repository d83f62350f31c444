/**
 * A run whose stream breaks off has the result of one that was read to its end: each recorded run of a workflow or
 * chatflow that succeeded is cut after each of its events, and completed from its record.
 */
import type { DifyClient } from '../../lib/dify/client';
import { findSingleText } from '../../lib/dify/run/merge-events';
import { completeFromRunRecord } from '../../lib/dify/run/run-record';
import {
	applyEvent,
	createRunState,
	flushText,
	isRunFinished,
	isRunFinishing,
} from '../../lib/dify/run/run-state';
import type { RunState } from '../../lib/dify/run/run-state';
import { toRunResult } from '../../lib/dify/run/run-result';
import type { RunResult } from '../../lib/dify/types';
import { DIFY_SETS, difyExchanges, eventsOf, isStream } from '../recordings/support/dify-exchanges';

type Event = Record<string, unknown>;

interface RecordedRun {
	name: string;
	events: Event[];
	/** Data of the closing event, which Dify also stores as the record. */
	closing: Event;
}

const MIN_RUNS = 20;
const MIN_CUTS = 319;

/** Dify replaces these answers, and its record has the ones before: read from the record, they are not replaced. */
const isReplacement = ({ event, reason, answer }: Event) =>
	event === 'message_replace' && (reason !== '' || answer !== '');

const runs: RecordedRun[] = DIFY_SETS.flatMap((set) =>
	difyExchanges(set)
		.filter(isStream)
		.filter(({ method }) => method === 'POST')
		.flatMap((exchange) => {
			const events = eventsOf(exchange);
			const closing = events.find(({ event }) => event === 'workflow_finished')?.data as Event;
			const isUsable =
				['succeeded', 'partial-succeeded'].includes(String(closing?.status)) &&
				!events.some(isReplacement);
			return isUsable ? [{ name: `${set} ${exchange.name}`, events, closing }] : [];
		}),
);

/** Without the text of a workflow with several outputs, which is only what was streamed of them. */
const toItem = ({ status, text, workflow, conversationId, messageId }: RunResult) => ({
	status,
	text: conversationId !== undefined || findSingleText(workflow?.outputs) !== undefined ? text : '',
	outputs: workflow?.outputs,
	conversationId,
	messageId,
});

function play(events: Event[]): RunState {
	const run = createRunState();
	for (const event of events) applyEvent(run, event);
	return run;
}

async function playCut({ events, closing }: RecordedRun, count: number) {
	const run = play(events.slice(0, count));
	flushText(run);
	const client = { get: async () => await Promise.resolve(closing) } as unknown as DifyClient;
	if (run.end === undefined)
		await completeFromRunRecord(client, run, { runId: String(closing.id) });
	flushText(run);
	return toItem(toRunResult(run));
}

test('enough runs are recorded', () => {
	const cuts = runs.reduce((sum, { events }) => sum + events.length, 0);
	expect(runs.length).toBeGreaterThanOrEqual(MIN_RUNS);
	expect(cuts).toBeGreaterThanOrEqual(MIN_CUTS);
});

test.each(runs)('$name', async (run) => {
	const whole = play(run.events);
	flushText(whole);
	expect(isRunFinished(whole) || isRunFinishing(whole)).toBe(true);
	const expected = toItem(toRunResult(whole));
	// From the first event on that names the run: without it, there is no record to read.
	const first = run.events.findIndex(({ workflow_run_id: id }) => typeof id === 'string') + 1;
	for (let count = first; count < run.events.length; count++) {
		expect([count, await playCut(run, count)]).toEqual([count, expected]);
	}
});
