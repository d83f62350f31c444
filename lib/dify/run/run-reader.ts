/** Reads a run to its end: from its events, or from its record if the stream breaks off. */
import { TASK_LIMITS } from '../../task-limits';
import type { RunIssue } from '../../errors/issues';
import type { ServerError } from '../../errors/server-error';
import type { ErrorType } from '../../errors/error-types';
import { asServerErrorOrThrow } from '../../errors/server-error';
import { isOneOf } from '../../errors/error-types';
import { MAX_RECEIVED_LENGTH, TooManyValuesError } from '../../http/body-limits';
import type { RequestOptions } from '../../http/types';
import { toErrorContext } from '../../http/request-errors';
import { setUnrefTimeout } from '../../http/timeouts';
import { rejectOnAbort } from '../../http/abort';
import { JsonMemory } from '../../json-memory';
import { isNonEmpty, isRecord, omitUndefined } from '../../values/records';
import { parseJsonExactly } from '../../values/exact-json';
import { pushAll } from '../../values/lists';
import { getErrorMessage } from '../../values/text';
import type { DifyClient } from '../client';
import type { DifyErrorOverrides } from '../create-error';
import { parseErrorBody } from '../response-error';
import { createRunError } from './run-error';
import { createDifyError } from '../create-error';
import type { HumanForm, RunResult, TextDelta } from '../types';
import { adoptText } from './adopt-text';
import { finalizeText } from './finalize-text';
import type { RunState } from './run-state';
import { applyEvent, createRunState, flushText, hasLastEvent, hasEndEvent } from './run-state';
import { getOutputText } from './output-text';
import type { RunRecord, WaitOptions } from './run-record';
import {
	applyRunRecord,
	pollAndApplyMessage,
	pollAndApplyRunRecord,
	fetchAndKeepStoredText,
	fetchRunRecord,
	fetchEndedRunRecord,
} from './run-record';
import type { StreamEnd } from './stream-end';
import { SilenceWatch } from './silence';
import { toRunResult } from './run-result';
import { getStreamEnd, hasReceivedNothing, isRecoverable } from './stream-end';
import { toEvents } from './whole-response';

/** Timeouts of a run in milliseconds; 0 = none. */
export interface RunTimeouts {
	/** Between two events. Pings do not count, because a hung run pings forever (docs/protocols/dify.md 3.8). */
	idleMs: number;
	/**
	 * From sending to the end, and anew for a run whose stream broke and whose record is polled. Dify ends a run after 20
	 * minutes by default.
	 */
	totalMs: number;
}

export const DEFAULT_RUN_TIMEOUTS: RunTimeouts = { idleMs: 600_000, totalMs: 0 };

export interface RunReaderOptions {
	timeouts?: Partial<RunTimeouts>;
	/** Called with changes of the text, for a live display. Not for an existing run: its first events may be missing. */
	onDeltas?: (deltas: TextDelta[]) => Promise<void>;
	/**
	 * Stops the run in Dify. If missing, the run was started elsewhere and continues.
	 *
	 * @returns whether Dify accepted the stop
	 */
	stop?: (taskId: string) => Promise<boolean>;
	/** The existing run to follow, which may have started before its first event is read. Default: the request starts a run. */
	followedRunId?: string;
	/** Keep reading after the first pause: the run continues after its form is submitted. */
	continueAfterPause?: boolean;
	/** Whether the result contains the inputs and outputs of nodes, which may be large. */
	keepsNodeValues?: boolean;
	/** Keys of the forms of that pause, if it was already read. */
	awaitedFormKeys?: Set<string>;
	/** Whether Dify still accepts all of these forms, for a run that waits and is silent. */
	areFormsOpen?: (forms: readonly HumanForm[]) => Promise<boolean>;
}

/** What is sent for a run. How long to wait for it, and how much of it is read, is the same for all. */
export type RunRequestOptions = Omit<RequestOptions, 'limits'>;

/** How long to read a stopped run, so that Dify stores the response (docs/protocols/dify.md 2.2). */
const STOP_GRACE_MS = 3_000;
/** How long to wait for the ID of a queued run, which is needed to stop it. */
const TASK_ID_WAIT_MS = 5_000;
const RECORD_DELAY_MS = 1_000;
/** How long to wait for the status of a run whose message is complete, or whose stream timed out. */
const STATUS_WAIT_MS = 10_000;
/** Characters of an event that counts as large. */
const LARGE_EVENT_LENGTH = 64 * 1024;
/** The beginning of an event that only adds details. Dify writes its name first. */
const DETAIL_EVENT = /^\s*\{\s*"event":\s*"(?:(?:node|iteration|loop)_|agent_thought")/;

/** Errors that leave open whether Dify started the run. */
const leavesStartOpen = isOneOf(
	'closedBeforeResponse',
	'connectionLost',
	'badGateway',
	'gatewayTimeout',
);

const RECOVERED_FROM_RUN_RECORD =
	"The stream ended before the run finished. The result was read from Dify's run record, which lacks the node events after that point and, for a chat, token counts and sources.";
const RECOVERED_AFTER_SILENCE =
	"Dify sent only pings although the run had ended. The result was read from Dify's run record, which lacks the node events after that point and, for a chat, token counts and sources.";
const RECOVERED_FROM_LARGE_EVENT =
	'An event of the run was too large to be read. The result was read from what Dify has stored, without what followed that event.';
const RECOVERED_FROM_MESSAGE =
	'The stream ended before the response was complete. The rest was read from the message stored in Dify, without token counts, sources and files.';
const MISSING_FINAL_EVENT =
	'The stream ended after the run finished: token counts, sources and files may be missing.';

/**
 * Reads a run to its end.
 *
 * @returns a run that succeeded, paused, or was stopped elsewhere
 * @throws {ServerError} with the partial result and all IDs
 */
export async function readRun(
	client: DifyClient,
	requestOptions: RunRequestOptions,
	options: RunReaderOptions,
): Promise<RunResult> {
	const { followedRunId, continueAfterPause, awaitedFormKeys, keepsNodeValues } = options;
	const mayLackText = followedRunId !== undefined;
	const { secrets } = client.endpoint;
	const run = createRunState({
		mayLackText,
		continueAfterPause,
		awaitedFormKeys,
		keepsNodeValues,
		secrets,
	});
	run.workflowRunId = followedRunId;
	return await new RunReader({ client, requestOptions, run, options }).read();
}

/** Whether an event ended the reading because it is too large, or has too many values. */
function isTooLargeEvent(error: ServerError | undefined): error is ServerError {
	return error?.type === 'invalidResponse';
}

/** This client ended the run: the execution was stopped, or the text could not be displayed. */
interface Cancellation {
	/** Why the text could not be displayed. */
	reason?: string;
}

/** A run, and where it is read from. */
interface RunToRead {
	client: DifyClient;
	/** The request whose response has its events. */
	requestOptions: RunRequestOptions;
	/** Its state, which the reader changes. */
	run: RunState;
	options: RunReaderOptions;
}

class RunReader {
	private readonly client: DifyClient;
	private readonly requestOptions: RunRequestOptions;
	private readonly run: RunState;
	private readonly options: RunReaderOptions;
	private readonly abortController = new AbortController();
	private readonly timeouts: RunTimeouts;
	private difyVersion: string | undefined;
	/** Dify sent response headers. */
	private hasResponse = false;
	/** The response had lines that are not events, such as a proxy's page. */
	private hasNonEventLines = false;
	/** Set once this client ends the run. */
	private cancellation: Cancellation | undefined;
	/** Whether Dify accepted the stop; undefined before it is sent. */
	private stopAcceptance: Promise<boolean> | undefined;
	/** Memory of all large events, read or not. */
	private parsedBytes = 0;
	private clearTimer = () => {};
	private readonly startedAt = performance.now();
	/** Resolves at the total timeout; undefined without one. */
	private overdue: Promise<void> | undefined;
	/** The end of a run whose stream was silent. */
	private silentRecord: RunRecord | undefined;
	private readonly silence = new SilenceWatch(async () => await this.lookUpSilentRun());

	constructor({ client, requestOptions, run, options }: RunToRead) {
		this.client = client;
		this.requestOptions = requestOptions;
		this.run = run;
		this.options = options;
		this.timeouts = { ...DEFAULT_RUN_TIMEOUTS, ...options.timeouts };
	}

	async read() {
		const { run } = this;
		const { signal } = this.client;
		if (signal?.aborted === true) {
			throw createDifyError('aborted', { url: this.requestOptions.url });
		}
		signal?.addEventListener('abort', this.cancel, { once: true });
		const clearOverdue = this.startTotalTimeout();
		if (this.options.followedRunId !== undefined) this.silence.onEvent();
		const error = await this.readEvents().then(() => undefined, asServerErrorOrThrow);
		this.silence.stop();
		signal?.removeEventListener('abort', this.cancel);
		clearOverdue();
		this.clearTimer();
		const deltas = flushText(run);
		if (this.cancellation !== undefined) throw await this.createCancelledError(this.cancellation);
		const streamEnd = getStreamEnd(run, error, this.silentRecord);
		if (streamEnd.type === 'textTooLong') {
			this.stopInDify();
			throw await this.createTooLongError(streamEnd.error);
		}
		await this.emitDeltas(deltas);
		return await this.finishOrRecover(streamEnd);
	}

	/** Finishes a run whose end is known, and completes another one from what Dify stores, which may take until its end. */
	private async finishOrRecover(
		streamEnd: Exclude<StreamEnd, { type: 'textTooLong' }>,
	): Promise<RunResult> {
		switch (streamEnd.type) {
			case 'runEnded':
				if (streamEnd.missing === 'status') await this.fetchMissingStatus();
				return await this.finishRun(
					streamEnd.missing === 'finalEvent' ? MISSING_FINAL_EVENT : undefined,
				);
			case 'silent':
				await this.emitDeltas(applyRunRecord(this.run, streamEnd.record));
				return await this.finishRun(RECOVERED_AFTER_SILENCE);
			case 'timedOut':
				return await this.recoverTimedOutRun(streamEnd.error);
			case 'broken':
				return await this.recoverBrokenRun(streamEnd.error);
			case 'errorResponse':
				throw this.withOpenStart(streamEnd.error);
		}
	}

	private async readEvents() {
		const { run } = this;
		const { idleMs, totalMs } = this.timeouts;
		const streamOptions: RequestOptions = {
			...this.requestOptions,
			signal: this.abortController.signal,
			isIdempotent: false,
			limits: TASK_LIMITS.difyRun.received,
			isWritten: true,
			timeouts: { firstTokenMs: idleMs, idleMs, totalMs },
		};
		await this.client.sendAndRead(streamOptions, async (response) => {
			this.hasResponse = true;
			this.difyVersion = response.headers['x-version'];
			for await (const parts of response.parts()) {
				const deltas: TextDelta[] = [];
				for (const { type, text: data } of parts) {
					if (type === 'line') this.hasNonEventLines = true;
					if (type === 'line' || !this.canParse(data)) continue;
					const event = parseJsonExactly(data);
					const isErrorBody =
						isRecord(event) && !('event' in event) && parseErrorBody(event) !== undefined;
					// Instead of a stream: a rejection with status 200. After events, it is the error of their run.
					if (isErrorBody && hasReceivedNothing(run)) throw response.toError(data);
					const namedEvent = isErrorBody ? { ...event, event: 'error' } : event;
					const events = hasReceivedNothing(run) ? toEvents(namedEvent) : [namedEvent];
					for (const each of events) pushAll(deltas, applyEvent(run, each));
				}
				if (this.options.followedRunId !== undefined) this.silence.onEvent();
				if (this.cancellation !== undefined) this.stopInDify();
				else await this.emitDeltas(deltas);
				if (hasLastEvent(run)) return;
				response.markContent();
				if (hasEndEvent(run)) response.expectEnd();
			}
		});
	}

	/** Ends the reading of a silent run that has ended, or paused again. */
	private async lookUpSilentRun() {
		const { client, options, run } = this;
		const record = await fetchEndedRunRecord(client, options.followedRunId!);
		if (record === undefined) return undefined;
		// Its record says so all the time.
		const isAwaited = record.status === 'paused' && options.continueAfterPause === true;
		const forms = run.forms.toArray();
		const isWaiting = isAwaited && forms.length > 0 && (await options.areFormsOpen?.(forms));
		if (isWaiting === true) return undefined;
		return () => {
			this.silentRecord = record;
			this.abortController.abort();
		};
	}

	/**
	 * Whether an event is read. Once the large events together would take too much memory, those with details of a node or
	 * a thought are left out.
	 *
	 * @throws {TooManyValuesError} for another event: the result is then read from the record
	 */
	private canParse(data: string): boolean {
		if (data.length < LARGE_EVENT_LENGTH) return true;
		const memory = new JsonMemory();
		memory.add(data);
		this.parsedBytes += memory.bytes;
		const { parsedBytes: maxBytes } = TASK_LIMITS.difyRun.received;
		if (this.parsedBytes <= maxBytes) return true;
		if (!DETAIL_EVENT.test(data))
			throw new TooManyValuesError(maxBytes).withReceived(data.slice(0, MAX_RECEIVED_LENGTH));
		this.run.partsBudget.omissions++;
		return false;
	}

	private async emitDeltas(deltas: TextDelta[]) {
		const { onDeltas } = this.options;
		if (deltas.length === 0 || onDeltas === undefined) return;
		try {
			// A display that hangs must not block a run that is stopped, or that takes too long.
			await rejectOnAbort(this.abortController.signal, async () => {
				const displaying = onDeltas(deltas);
				await (this.overdue === undefined ? displaying : Promise.race([displaying, this.overdue]));
			});
		} catch (error) {
			// The rest of the response could not be displayed.
			if (this.cancellation === undefined) {
				this.cancel(`the response could not be passed on: ${getErrorMessage(error)}`);
			}
		}
	}

	private readonly cancel = (reason?: unknown) => {
		this.cancellation ??= { reason: typeof reason === 'string' ? reason : undefined };
		if (this.options.stop === undefined) this.abortController.abort();
		else if (this.run.taskId !== undefined) this.stopInDify();
		else this.closeAfter(TASK_ID_WAIT_MS);
	};

	private closeAfter(ms: number) {
		this.clearTimer();
		this.clearTimer = setUnrefTimeout(ms, () => this.abortController.abort());
	}

	/** Stops the run in Dify once, if its ID is known. */
	private stopInDify() {
		const { taskId } = this.run;
		if (taskId === undefined || this.stopAcceptance !== undefined) return;
		this.closeAfter(STOP_GRACE_MS);
		this.stopAcceptance = this.options.stop?.(taskId);
		void this.stopAcceptance?.then((isAccepted) => {
			if (!isAccepted) this.abortController.abort();
		});
	}

	private async createCancelledError({ reason }: Cancellation = {}) {
		return await this.createErrorWithResult('aborted', {
			about: reason === undefined ? {} : { runIssue: { kind: 'cancelled', reason } },
		});
	}

	private async createTooLongError({ known: { excess } }: ServerError) {
		return await this.createErrorWithResult('invalidResponse', { about: { excess } });
	}

	/** Reads the status of a run whose message is complete. The record of a chatflow may stay `running`. */
	private async fetchMissingStatus() {
		const { client, run, timeouts } = this;
		const { workflowRunId } = run;
		const timeoutMs = Math.min(timeouts.idleMs || STATUS_WAIT_MS, STATUS_WAIT_MS);
		const deltas =
			workflowRunId === undefined
				? []
				: await pollAndApplyRunRecord(client, run, { runId: workflowRunId, timeoutMs }).catch(
						() => [],
					);
		if (client.signal?.aborted === true) throw await this.createCancelledError();
		run.reportedEnd ??= { status: 'succeeded', isLastEvent: true };
		await this.emitDeltas(deltas);
	}

	/**
	 * The stream may have hung after the end of its run, so Dify's record is polled once. Otherwise the run is stopped, also
	 * if the record does not come.
	 */
	private async recoverTimedOutRun(error: ServerError) {
		const clearStop = setUnrefTimeout(STATUS_WAIT_MS, () => this.stopInDify());
		try {
			return await this.recoverStoredRun({ once: true }, async () => {
				this.stopInDify();
				return await this.createTimeoutError(error);
			});
		} finally {
			clearStop();
		}
	}

	/** @returns a function that ends it. */
	private startTotalTimeout(): () => void {
		const { totalMs } = this.timeouts;
		let clear = () => {};
		if (totalMs > 0)
			this.overdue = new Promise((resolve) => {
				clear = setUnrefTimeout(totalMs, resolve);
			});
		return () => clear();
	}

	private get isOverdue(): boolean {
		const { totalMs } = this.timeouts;
		return totalMs > 0 && performance.now() - this.startedAt >= totalMs;
	}

	/** The run may have ended or may continue in Dify, which is polled until its end. */
	private async recoverBrokenRun(error: ServerError | undefined) {
		const { idleMs, totalMs } = this.timeouts;
		const timeoutMs = totalMs || (this.run.workflowRunId === undefined ? idleMs : 0);
		const warning = isTooLargeEvent(error) ? RECOVERED_FROM_LARGE_EVENT : undefined;
		return await this.recoverStoredRun(
			{ timeoutMs, warning },
			async () => await this.createBrokenError(error),
		);
	}

	/**
	 * Completes a run from what Dify stores: its record, or the message of an agent. Stops the run in Dify if that takes too
	 * long, or the execution was stopped.
	 *
	 * @throws the error of `createError` if nothing is stored or it cannot be read in time; `aborted` after Stop
	 */
	private async recoverStoredRun(
		{ warning, ...options }: WaitOptions & { warning?: string },
		createError: () => Promise<ServerError>,
	) {
		const { client, run } = this;
		if (!isRecoverable(run)) throw await createError();
		const { workflowRunId } = run;
		const recovering =
			workflowRunId === undefined
				? pollAndApplyMessage(client, run, { user: this.requestOptions.json?.user, ...options })
				: pollAndApplyRunRecord(client, run, { runId: workflowRunId, ...options });
		const deltas = await recovering.catch(async (error: unknown) => {
			const isStopped = client.signal?.aborted === true;
			const { type } = asServerErrorOrThrow(error);
			if (isStopped || type === 'runTimeout' || this.isOverdue) this.stopInDify();
			if (isStopped) throw await this.createCancelledError();
			throw await createError();
		});
		const user = this.requestOptions.json?.user;
		if (user !== undefined) {
			await fetchAndKeepStoredText(client, run, user).catch(() => undefined);
		}
		pushAll(deltas, flushText(run));
		await this.emitDeltas(deltas);
		return await this.finishRun(
			warning ?? (workflowRunId === undefined ? RECOVERED_FROM_MESSAGE : RECOVERED_FROM_RUN_RECORD),
		);
	}

	private async createTimeoutError({ type }: ServerError) {
		const { onlyReceived, timeouts } = this;
		const runIssue: RunIssue =
			type === 'totalTimeout'
				? { kind: 'totalTimeout', afterMs: timeouts.totalMs }
				: {
						kind: 'idleTimeout',
						afterMs: timeouts.idleMs,
						onlyPings: onlyReceived !== 'nothing',
					};
		return await this.createErrorWithResult(this.isQueued ? 'runQueued' : 'runTimeout', {
			about: { isRunStart: true, onlyReceived, runIssue },
		});
	}

	/** What arrived, if it was no event of the run. */
	private get onlyReceived() {
		if (!hasReceivedNothing(this.run) || this.hasNonEventLines) return undefined;
		return this.hasResponse ? 'pings' : 'nothing';
	}

	/** A new run that sent only pings. */
	private get isQueued() {
		const isNew = this.options.followedRunId === undefined;
		return isNew && this.hasResponse && !this.hasNonEventLines && hasReceivedNothing(this.run);
	}

	/** The error of a run whose stream broke, and whose end is unknown. */
	private async createBrokenError(error: ServerError | undefined) {
		if (error !== undefined && hasReceivedNothing(this.run) && !this.hasResponse) {
			return this.withOpenStart(error);
		}
		// Without an event, it is no event that was too large: the error says what arrived instead.
		if (isTooLargeEvent(error) && hasReceivedNothing(this.run)) return error;
		if (isTooLargeEvent(error)) {
			const { known, serverText } = error;
			return await this.createErrorWithResult('invalidResponse', {
				about: { excess: known.excess, isRunEvent: true },
				serverText,
			});
		}
		const type = this.isQueued && error === undefined ? 'runQueued' : 'streamEndedEarly';
		return await this.createErrorWithResult(type, { status: 200 });
	}

	/** With the fact that a run may have started, after errors of proxies and connections. */
	private withOpenStart(error: ServerError) {
		const isNew = this.options.followedRunId === undefined;
		return isNew && leavesStartOpen(error.type) ? error.withFacts({ mayHaveStarted: true }) : error;
	}

	/**
	 * Fetches the outputs that a stopped run may lack, emits the rest of the text, and returns the result.
	 *
	 * @param warning about how it was obtained
	 * @throws {ServerError} for a run that failed in Dify
	 */
	private async finishRun(warning?: string) {
		const { run } = this;
		if (run.reportedEnd?.status === 'stopped' && this.silentRecord === undefined)
			await this.fetchStoppedOutputs();
		await this.emitDeltas(finalizeText(run));
		const result = toRunResult(run);
		const { error, warnings } = result;
		const context = toErrorContext(this.client.endpoint, { url: this.requestOptions.url });
		if (error !== undefined) throw createRunError({ ...result, error }, context, this.difyVersion);
		return { ...result, warnings: warning === undefined ? warnings : [...warnings, warning] };
	}

	/** Dify 1.16 reports a run with a submitted form as stopped, and writes its outputs a moment later, to its record only. */
	private async fetchStoppedOutputs() {
		const { client, run } = this;
		const { workflow, workflowRunId } = run;
		if (workflow === undefined || workflowRunId === undefined || isNonEmpty(workflow.outputs)) {
			return;
		}
		await client.sleep(RECORD_DELAY_MS);
		const record = await fetchRunRecord(client, workflowRunId).catch(() => undefined);
		if (record === undefined) return;
		Object.assign(workflow, omitUndefined({ outputs: record.outputs, error: record.error }));
		if (run.text !== '') return;
		await this.emitDeltas(adoptText(run, getOutputText(run, record.outputs) ?? ''));
	}

	private async createErrorWithResult(
		type: ErrorType,
		overrides: DifyErrorOverrides,
	): Promise<ServerError> {
		const stopRequested = await this.stopAcceptance;
		return createDifyError(type, {
			url: this.requestOptions.url,
			result: toRunResult(this.run),
			facts: { difyVersion: this.difyVersion, stopRequested },
			...overrides,
		});
	}
}
