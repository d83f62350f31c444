import { asFailed, type ServerError } from '../../errors/server-error';
import { isRecord, optional, recordOf } from '../../values';
import type { DifyClient } from '../client';
import { difyFailure, runError, stoppedEarly } from '../errors/failure';
import {
	joinTail,
	knownText,
	noteGap,
	reduce,
	resultByEvents,
	resultWithoutMessageEnd,
	singleText,
	type RunState,
} from '../events';
import { succeeded } from '../events/termination';
import type { RunResult, TextDelta } from '../types';
import type { Abandoned, Ending, Observation } from './observation';
import { followLater, isUnknownRun, notFoundError, stillRunning, type RunRecord } from './record';

/** Warning about a run whose stream did not tell its end. */
const RECORDED =
	'The stream broke off before the end of the run: the result comes from the record that Dify keeps.';

/** Warning about a run whose stream was lost. */
export const RECOVERED_NOTE =
	'The stream of the run broke off. The node found the run again and waited for its end.';

/** Warning about a run that Dify reported as succeeded before its stream and its record were lost. */
const NO_CLOSE =
	'The stream broke off after Dify had called the run succeeded, and Dify has no record of it: token counts, sources and files may be missing.';

/** A display of the text. */
interface Display {
	onDeltas?: (deltas: TextDelta[]) => Promise<void>;
}

/** An observation that has ended. */
interface Ended {
	client: DifyClient;
	state: Observation;
	display: Display;
	/** Of the request that began the observation. */
	url: string;
}

/**
 * The result of an observation that has ended.
 *
 * @throws {ServerError} for every ending that is no result
 */
export async function conclude(ended: Ended, ending: Ending): Promise<RunResult> {
	const { client, state, url } = ended;
	const { lost, run } = state;
	const concluding = resultOfEnding(ended, ending);
	if (lost === undefined) return await concluding;
	const outcome = await concluding.then((result) => ({ result }), asFailed);
	if ('result' in outcome) return withWarning(outcome.result, RECOVERED_NOTE);
	const { failed } = outcome;
	const result = isUnknownRun(failed) ? resultWithoutRecord(run) : undefined;
	if (result !== undefined) return result;
	throw lostRunError(state, failed, lossError(client, lost, url));
}

/** The result by the events or the record of the run. */
async function resultOfEnding(ended: Ended, ending: Ending): Promise<RunResult> {
	const { client, state, url } = ended;
	const runId = state.run.workflowRunId ?? '';
	switch (ending.how) {
		case 'finished':
			return await finishedResult(ended, ending);
		case 'recorded':
			return await recordedResult(ended, ending.record);
		case 'failed':
			throw ending.failed;
		case 'unanswered':
			throw unansweredError(ending.why, url);
		case 'unknownRun':
			throw notFoundError(client, runId);
		case 'stillRunning':
			throw stillRunning(client, runId, ending.limitMs);
	}
}

async function finishedResult(
	{ client, state, display, url }: Ended,
	{ reason, detail, stoppedRecord }: Ending & { how: 'finished' },
): Promise<RunResult> {
	const result = resultByEvents(withRecord(state.run, stoppedRecord), reason, detail);
	if (result.status === 'failed') {
		const head = state.head ?? { url, headers: {} };
		throw runError(client.connection, result, head, state.stop?.isAccepted);
	}
	const tail = joinTail(state.run);
	if (tail !== '') await show(display, [{ type: 'append', text: tail }]);
	return result;
}

/** Dify 1.16 writes the outputs of a run that ends as stopped after a form, and why, in its record only. */
function withRecord(run: RunState, record: RunRecord | undefined): RunState {
	if (record === undefined) return run;
	const { outputs, error } = record;
	const text = knownText(run) === '' ? (singleText(outputs) ?? '') : run.text;
	return { ...run, text, workflow: { ...run.workflow!, outputs, error } };
}

/** The result of a run by its record, which is applied like an event. Nothing tells whether events before it were missed. */
async function recordedResult(
	{ client, state: { run }, display, url }: Ended,
	record: RunRecord,
): Promise<RunResult> {
	noteGap(run);
	const deltas = applyRecord(run, record);
	if (deltas.length > 0) await show(display, deltas);
	const result = resultByEvents(run, 'closed');
	if (result.status === 'failed') throw runError(client.connection, result, { url, headers: {} });
	return withWarning(result, RECORDED);
}

/** Shows the last changes. The result is complete, even if that fails. */
export async function show({ onDeltas }: Display, deltas: TextDelta[]): Promise<void> {
	await onDeltas?.(deltas).catch(() => undefined);
}

function applyRecord(
	state: RunState,
	{ runId, status, outputs, createdAt, finishedAt, raw }: RunRecord,
): TextDelta[] {
	const times = { created_at: createdAt, finished_at: finishedAt };
	const data = { ...raw, ...times, outputs, files: filesIn(outputs) };
	const event = {
		event: status === 'paused' ? 'workflow_paused' : 'workflow_finished',
		workflow_run_id: runId,
		data,
	};
	return reduce(state, event).deltas;
}

/** Files of a chatflow's answer: a list, in Dify 1.14 inside an object. */
function filesIn(outputs: unknown): unknown {
	const { files } = recordOf(outputs);
	return isRecord(files) ? files.value : files;
}

export function withWarning(result: RunResult, warning: string): RunResult {
	return { ...result, warnings: [...result.warnings, warning] };
}

/** The result of a run without a record that Dify had called succeeded, if its text is whole. */
function resultWithoutRecord(run: RunState): RunResult | undefined {
	if (!succeeded(run.workflowEnd?.status ?? '')) return undefined;
	const result = resultWithoutMessageEnd(run);
	return result.status === 'failed' ? undefined : withWarning(result, NO_CLOSE);
}

/** The error of the stream that was lost. */
function lossError(
	{ connection }: DifyClient,
	{ closing, result, head }: NonNullable<Observation['lost']>,
	url: string,
): ServerError {
	return closing.failed ?? runError(connection, result, head ?? { url, headers: {} });
}

/** The error of a run that was lost and not found again: one error, with all that is known of the run. */
function lostRunError({ run, stop }: Observation, failed: ServerError, loss: ServerError) {
	return shownError(run, failed, loss)
		.withPartial({ text: knownText(run), reasoning: run.reasoning })
		.withFacts({
			...loss.facts,
			...failed.facts,
			...optional({ stopRequested: stop?.isAccepted }),
		});
}

function shownError(run: RunState, failed: ServerError, loss: ServerError): ServerError {
	if (failed.kind === 'cancelled') return difyFailure('cancelled', { url: loss.url });
	if (failed.kind === 'timeout' || failed.result !== undefined) return failed;
	// A failed lookup tells nothing: the error of the stream says that the run may have gone on.
	return loss.withRemedy(remedyFor(failed, run.workflowRunId ?? ''));
}

function remedyFor(error: ServerError, runId: string): string {
	if (!isUnknownRun(error)) return followLater(runId);
	return `Dify has no record of the run ${runId}, so nobody knows how it ended. What had arrived is in the details. The logs of the app in Dify may say more.`;
}

/** The error of a run that was given up before Dify answered. */
function unansweredError({ reason, detail }: Abandoned, url: string): ServerError {
	if (reason === 'cancelled') return stoppedEarly(url);
	const meaning = `A time limit ran out: ${detail}`;
	return difyFailure('timeout', { url, meaning, about: { startsRun: true } });
}
