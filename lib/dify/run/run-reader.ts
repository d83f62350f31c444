/** Reads a run to its end: from its events, or from its record if the stream breaks off. */
import type { ErrorType } from '../../errors/error-types';
import { formatDuration } from '../../errors/texts';
import { captureError, type ServerError } from '../../errors/server-error';
import type { RequestOptions } from '../../http/types';
import { toErrorContext, toResponseError } from '../../http/request-errors';
import { setUnrefTimeout } from '../../http/timeouts';
import { rejectOnAbort } from '../../http/sleep';
import { parseJsonExactly } from '../../json';
import { pushAll, isNonEmpty, isRecord, getErrorMessage, omitUndefined } from '../../values';
import type { DifyClient } from '../client';
import { createDifyError, parseErrorBody, createRunError } from '../errors';
import type { RunResult, TextDelta } from '../types';
import { findSingleText } from './merge-events';
import {
	applyEvent,
	createRunState,
	flushText,
	isRunFinishing,
	isRunFinished,
	isSuccessStatus,
	type RunState,
} from './run-state';
import { fetchRunRecord, completeFromRunRecord, completeFromMessage } from './run-record';
import { toRunResult } from './run-result';

/** Timeouts of a run in milliseconds; 0 = none. */
export interface RunTimeouts {
	/** Between two events. Pings do not count, because a hung run pings forever (docs/protocols/dify.md 3.8). */
	idleMs: number;
	/** From sending to the end. Dify ends a run after 20 minutes by default. */
	totalMs: number;
}

export const DEFAULT_RUN_TIMEOUTS: RunTimeouts = { idleMs: 600_000, totalMs: 0 };

export interface RunReaderOptions {
	timeouts?: Partial<RunTimeouts>;
	/** Called with changes of the text, for a live display. */
	onDeltas?: (deltas: TextDelta[]) => Promise<void>;
	/** Stops the run in Dify. If missing, the run was started elsewhere and continues. @returns whether Dify accepted it */
	stop?: (taskId: string) => Promise<boolean>;
	/** An existing run to follow. */
	runId?: string;
	/** Keep reading after the first pause: the run continues after its form is submitted. */
	continueAfterPause?: boolean;
	/** IDs of the forms of that pause, if it was already read. */
	awaitedForms?: Set<string>;
}

/** How long to read a stopped run, so that Dify stores the response (docs/protocols/dify.md 2.2). */
const STOP_GRACE_MS = 3_000;
/** How long to wait for the ID of a queued run, which is needed to stop it. */
const TASK_ID_WAIT_MS = 5_000;
const RECORD_DELAY_MS = 1_000;
/** How long to wait for the status of a run whose message is complete. */
const STATUS_WAIT_MS = 10_000;
/** Shorter than the first poll interval. */
const POLL_ONCE_MS = 1;
/** Characters. One event contains all outputs of a workflow. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024;
/** Bytes of all events, whose nodes and files are kept. */
const MAX_STREAM_BYTES = 128 * 1024 * 1024;

/** Errors after which Dify may have started the run. */
const MAY_HAVE_STARTED_ERRORS: ReadonlySet<ErrorType> = new Set([
	'closedBeforeResponse',
	'connectionLost',
	'badGateway',
]);
const MAY_HAVE_STARTED =
	'A run may have started: check the logs of the app before you send the request again.';

const RECOVERED_FROM_RUN_RECORD =
	"The stream ended before the run finished. The result was read from Dify's run record, without the node events after that point.";
const RECOVERED_FROM_MESSAGE =
	'The stream ended before the response was complete. The rest was read from the message stored in Dify, without token counts, sources and files.';
const MISSING_FINAL_EVENT =
	'The stream ended after the run finished: token counts, sources and files may be missing.';

/**
 * @returns a run that succeeded, paused, or was stopped elsewhere
 * @throws {ServerError} with the partial result and all IDs
 */
export async function readRun(
	client: DifyClient,
	requestOptions: RequestOptions,
	options: RunReaderOptions,
): Promise<RunResult> {
	const { runId, continueAfterPause, awaitedForms } = options;
	const run = createRunState({ isAttached: runId !== undefined, continueAfterPause, awaitedForms });
	run.workflowRunId = runId;
	const reader = new RunReader(client, requestOptions, run, options);
	await reader.read();
	return await reader.finish();
}

class RunReader {
	private readonly abortController = new AbortController();
	private readonly timeouts: RunTimeouts;
	private difyVersion: string | undefined;
	/** Dify sent response headers. */
	private hasResponse = false;
	/** The response had lines that are not events, such as a proxy's page. */
	private hasNonEventLines = false;
	/** Why the events ended before the run. */
	private streamError: ServerError | undefined;
	/** Set if this client cancelled the run; `detail` is the reason. */
	private abandonment: { detail?: string } | undefined;
	private stopRequest: Promise<boolean> | undefined;
	private clearTimer = () => {};

	constructor(
		private readonly client: DifyClient,
		private readonly requestOptions: RequestOptions,
		private readonly run: RunState,
		private readonly options: RunReaderOptions,
	) {
		this.timeouts = { ...DEFAULT_RUN_TIMEOUTS, ...options.timeouts };
	}

	/** Reads the events. @throws {ServerError} if no run started */
	async read(): Promise<void> {
		const { signal } = this.client;
		if (signal?.aborted === true)
			throw createDifyError('aborted', { url: this.requestOptions.url });
		signal?.addEventListener('abort', this.abandon, { once: true });
		try {
			await this.readEvents();
		} catch (error) {
			this.streamError = captureError(error);
		} finally {
			signal?.removeEventListener('abort', this.abandon);
			this.clearTimer();
		}
	}

	async finish(): Promise<RunResult> {
		const { streamError, run } = this;
		const remainingDeltas = flushText(run);
		if (this.abandonment !== undefined)
			throw await this.createCancelledError(this.abandonment.detail);
		await this.emitDeltas(remainingDeltas);
		if (streamError !== undefined && run.count.isExceeded)
			throw await this.createTooMuchTextError(streamError);
		if (isRunFinished(run)) return await this.result();
		if (streamError?.status !== undefined) throw this.withMayHaveStarted(streamError);
		if (run.end !== undefined)
			return await this.result(isSuccessStatus(run.end.status) ? MISSING_FINAL_EVENT : undefined);
		return await this.finishWithoutEnd();
	}

	/** Finishes a run without an end event. */
	private async finishWithoutEnd(): Promise<RunResult> {
		const { streamError, run } = this;
		if (hasWholeMessage(run)) return await this.finishWholeMessage();
		const timeoutError = isTimeout(streamError) && !isRunFinishing(run) ? streamError : undefined;
		if (run.workflowRunId !== undefined || isAgent(run)) return await this.recover(timeoutError);
		throw timeoutError === undefined
			? this.createLostError(streamError)
			: await this.createTimeoutError(timeoutError);
	}

	/** The message of a chatflow is complete, and only the status of its run is missing, which may stay `running`. */
	private async finishWholeMessage(): Promise<RunResult> {
		const { client, run, timeouts } = this;
		const { workflowRunId } = run;
		const timeoutMs = Math.min(timeouts.idleMs || STATUS_WAIT_MS, STATUS_WAIT_MS);
		const deltas =
			workflowRunId === undefined
				? []
				: await completeFromRunRecord(client, run, workflowRunId, { timeoutMs }).catch(() => []);
		if (client.signal?.aborted === true) throw await this.createCancelledError();
		run.end ??= { status: 'succeeded', isLast: true };
		run.isAttached = false;
		await this.emitDeltas(deltas);
		return await this.result();
	}

	private async readEvents(): Promise<void> {
		const { run } = this;
		const { idleMs, totalMs } = this.timeouts;
		const streamOptions: RequestOptions = {
			...this.requestOptions,
			signal: this.abortController.signal,
			isIdempotent: false,
			maxBytes: MAX_STREAM_BYTES,
			timeouts: { firstTokenMs: idleMs, idleMs, totalMs },
		};
		await this.client.open(streamOptions, async (response) => {
			this.hasResponse = true;
			const { url, status, headers } = response;
			this.difyVersion = headers['x-version'];
			for await (const batch of response.events(MAX_EVENT_LENGTH)) {
				const deltas: TextDelta[] = [];
				for (const data of batch) {
					const event = parseJsonExactly(data);
					const isErrorBody =
						isRecord(event) && !('event' in event) && parseErrorBody(event) !== undefined;
					// Instead of a stream: a rejection with status 200. After events, it is the error of their run.
					if (isErrorBody && hasReceivedNothing(run))
						throw toResponseError(this.client.endpoint, streamOptions, {
							url,
							status,
							headers,
							text: data,
						});
					pushAll(deltas, applyEvent(run, isErrorBody ? { ...event, event: 'error' } : event));
				}
				if (this.abandonment !== undefined) this.requestStop();
				else await this.emitDeltas(deltas);
				if (isRunFinished(run)) return;
				response.markContent();
				if (isRunFinishing(run)) response.expectEnd();
			}
			this.hasNonEventLines = response.getNonEventLines().length > 0;
		});
	}

	/** Emits deltas, except for an attached run, whose text is emitted at the end. */
	private async emitDeltas(deltas: TextDelta[]): Promise<void> {
		const { onDeltas } = this.options;
		if (deltas.length === 0 || onDeltas === undefined || this.run.isAttached) return;
		try {
			// A display that hangs must not block a run that is stopped.
			await rejectOnAbort(this.abortController.signal, async () => await onDeltas(deltas));
		} catch (error) {
			// The rest of the response could not be displayed.
			if (this.abandonment === undefined)
				this.abandon(`the response could not be passed on: ${getErrorMessage(error)}`);
		}
	}

	private readonly abandon = (reason?: unknown) => {
		this.abandonment ??= { detail: typeof reason === 'string' ? reason : undefined };
		if (this.options.stop === undefined) this.abortController.abort();
		else if (this.run.taskId !== undefined) this.requestStop();
		else this.closeAfter(TASK_ID_WAIT_MS);
	};

	private closeAfter(ms: number): void {
		this.clearTimer();
		this.clearTimer = setUnrefTimeout(ms, () => this.abortController.abort());
	}

	/** Stops the run in Dify, once its ID is known. */
	private requestStop(): void {
		const { taskId } = this.run;
		if (taskId === undefined || this.stopRequest !== undefined) return;
		this.closeAfter(STOP_GRACE_MS);
		this.stopRequest = this.options.stop?.(taskId);
		void this.stopRequest?.then((isAccepted) => {
			if (!isAccepted) this.abortController.abort();
		});
	}

	private async createCancelledError(detail?: string): Promise<ServerError> {
		const cancelDetail = detail === undefined ? undefined : `The run was cancelled: ${detail}`;
		return await this.createErrorWithResult('aborted', {
			detail: cancelDetail,
		});
	}

	private async createTimeoutError({ type }: ServerError): Promise<ServerError> {
		this.requestStop();
		const isTotal = type === 'totalTimeout';
		const detail = isTotal
			? `The run took longer than ${formatDuration(this.timeouts.totalMs)} (Total Timeout)`
			: `Dify sent only pings for ${formatDuration(this.timeouts.idleMs)} (Idle Timeout)`;
		return await this.createErrorWithResult(this.isQueued ? 'runQueued' : 'runTimeout', {
			detail,
			about: { isRunStart: true },
		});
	}

	/** Stops a run with endless output, as after a timeout. */
	private async createTooMuchTextError({
		message: title,
		suggestion,
	}: ServerError): Promise<ServerError> {
		this.requestStop();
		return await this.createErrorWithResult('invalidResponse', { title, suggestion });
	}

	/** A new run that sent only pings. */
	private get isQueued(): boolean {
		const isNew = this.options.runId === undefined;
		return isNew && this.hasResponse && !this.hasNonEventLines && hasReceivedNothing(this.run);
	}

	/** A lost run without an ID to find its record. */
	private createLostError(error: ServerError | undefined): ServerError {
		if (error !== undefined && hasReceivedNothing(this.run) && !this.hasResponse)
			return this.withMayHaveStarted(error);
		return createDifyError(
			this.isQueued && error === undefined ? 'runQueued' : 'streamEndedEarly',
			{
				url: this.requestOptions.url,
				status: 200,
				result: toRunResult(this.run),
				facts: { difyVersion: this.difyVersion },
			},
		);
	}

	/** Adds that a run may have started, after errors of proxies and connections. */
	private withMayHaveStarted(error: ServerError): ServerError {
		const isOpen = this.options.runId === undefined && MAY_HAVE_STARTED_ERRORS.has(error.type);
		return isOpen ? error.withSuggestion(`${error.suggestion} ${MAY_HAVE_STARTED}`) : error;
	}

	/** @param timeoutError the stream timed out and may have hung: Dify's record is polled once */
	private async recover(timeoutError: ServerError | undefined): Promise<RunResult> {
		const { client, run, timeouts } = this;
		const { workflowRunId } = run;
		const timeoutMs = timeoutError === undefined ? timeouts.totalMs : POLL_ONCE_MS;
		const emittedText = run.isAttached ? '' : run.text;
		const recovering =
			workflowRunId === undefined
				? completeFromMessage(
						client,
						run,
						this.requestOptions.json?.user,
						timeoutMs || timeouts.idleMs,
					)
				: completeFromRunRecord(client, run, workflowRunId, { timeoutMs });
		const deltas = await recovering.catch(async (error: unknown) => {
			const { type } = captureError(error);
			const isStopped = client.signal?.aborted === true;
			if (isStopped || type === 'runTimeout') this.requestStop();
			if (isStopped) throw await this.createCancelledError();
			throw timeoutError === undefined
				? this.createLostError(undefined)
				: await this.createTimeoutError(timeoutError);
		});
		run.isAttached = false;
		pushAll(deltas, flushText(run));
		await this.emitDeltas(emittedText === '' ? [{ type: 'append', text: run.text }] : deltas);
		return await this.result(
			workflowRunId === undefined ? RECOVERED_FROM_MESSAGE : RECOVERED_FROM_RUN_RECORD,
		);
	}

	private async result(warning?: string): Promise<RunResult> {
		const { run } = this;
		if (run.end?.status === 'stopped') await this.addStoppedOutputs();
		const result = toRunResult(run);
		const { error, warnings } = result;
		const context = toErrorContext(this.client.endpoint, this.requestOptions.url);
		if (error !== undefined) throw createRunError({ ...result, error }, context, this.difyVersion);
		if (run.isAttached && run.text !== '') {
			run.isAttached = false;
			await this.emitDeltas([{ type: 'append', text: run.text }]);
		}
		return { ...result, warnings: warning === undefined ? warnings : [...warnings, warning] };
	}

	/** Dify 1.16 reports a run with a submitted form as stopped, and writes its outputs a moment later, to its record only. */
	private async addStoppedOutputs(): Promise<void> {
		const { client, run } = this;
		const { workflow, workflowRunId } = run;
		if (workflow === undefined || workflowRunId === undefined || isNonEmpty(workflow.outputs))
			return;
		await client.sleep(RECORD_DELAY_MS);
		const record = await fetchRunRecord(client, workflowRunId).catch(() => undefined);
		if (record === undefined) return;
		Object.assign(workflow, omitUndefined({ outputs: record.outputs, error: record.error }));
		run.text ||= findSingleText(record.outputs) ?? '';
	}

	private async createErrorWithResult(
		type: ErrorType,
		overrides: Parameters<typeof createDifyError>[1],
	): Promise<ServerError> {
		const stopRequested = await this.stopRequest;
		const facts = { difyVersion: this.difyVersion, stopRequested };
		return createDifyError(type, {
			url: this.requestOptions.url,
			result: toRunResult(this.run),
			facts,
			...overrides,
		});
	}
}

function isTimeout(error: ServerError | undefined): error is ServerError {
	return ['firstTokenTimeout', 'idleTimeout', 'totalTimeout'].includes(error?.type ?? '');
}

/** Whether only pings arrived. */
function hasReceivedNothing({
	taskId,
	messageId,
	conversationId,
	text,
	invalidEvents,
}: RunState): boolean {
	return invalidEvents === 0 && [taskId, messageId, conversationId, text].every((value) => !value);
}

/** Whether text, sources, token counts and files of a chatflow arrived, read from its first event on. */
function hasWholeMessage({ hasMessageEnd, isAttached }: RunState): boolean {
	return hasMessageEnd && !isAttached;
}

/** An agent run whose message can be fetched. */
function isAgent({ thoughts, conversationId, messageId }: RunState): boolean {
	return thoughts.length > 0 && conversationId !== undefined && messageId !== undefined;
}
