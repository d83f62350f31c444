/** Reads a run to its end: its events, and its record where they broke off. */
import type { ErrorType } from '../../errors/error-types';
import { formatDuration } from '../../errors/texts';
import { captureError, type ServerError } from '../../errors/server-error';
import type { RequestOptions } from '../../http/types';
import { toErrorContext, toResponseError } from '../../http/request-errors';
import { setUnrefTimeout } from '../../http/timeouts';
import { rejectOnAbort } from '../../http/sleep';
import { parseJson } from '../../json';
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

/** Time limits of a run in milliseconds; 0 = none. */
export interface RunTimeouts {
	/** Between two events. Pings are none, and a hung run pings for ever (docs/protocols/dify.md 3.8). */
	idleMs: number;
	/** From sending to the end. Dify itself ends a run after 20 minutes, unless it was told otherwise. */
	totalMs: number;
}

export const DEFAULT_RUN_TIMEOUTS: RunTimeouts = { idleMs: 600_000, totalMs: 0 };

export interface RunReaderOptions {
	timeouts?: Partial<RunTimeouts>;
	/** Called with changes of the text, for a live display. */
	onDeltas?: (deltas: TextDelta[]) => Promise<void>;
	/** Tells Dify to stop the run. Missing: the run is not ours, and goes on. @returns whether Dify accepted that */
	stop?: (taskId: string) => Promise<boolean>;
	/** A run that was started before. */
	runId?: string;
	/** A pause is no end: the run goes on once its form is answered. */
	continueAfterPause?: boolean;
}

/** How long a stopped run is still read, so that Dify stores the answer (docs/protocols/dify.md 2.2). */
const STOP_GRACE_MS = 3_000;
/** How long a run that waits in Dify's queue is read for its ID, without which it cannot be stopped. */
const TASK_ID_WAIT_MS = 5_000;
const RECORD_DELAY_MS = 1_000;
/** Less than the pause behind the first look. */
const POLL_ONCE_MS = 1;
/** Characters. Outputs of a workflow come in one event. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024;
/** Bytes of all events, whose nodes and files are kept. */
const MAX_STREAM_BYTES = 128 * 1024 * 1024;

/** Dify may have taken the run up. */
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
 * @returns a run that succeeded, paused, or was stopped by someone else
 * @throws {ServerError} with the partial result and all IDs
 */
export async function readRun(
	client: DifyClient,
	ask: Pick<RequestOptions, 'url' | 'json' | 'method'>,
	options: RunReaderOptions,
): Promise<RunResult> {
	const { runId, continueAfterPause } = options;
	const run = createRunState({ isPartial: runId !== undefined, acrossPauses: continueAfterPause });
	run.workflowRunId = runId;
	const reading = new RunReader(client, ask, run, options);
	await reading.read();
	return await reading.finish();
}

class RunReader {
	private readonly abortController = new AbortController();
	private readonly limits: RunTimeouts;
	private version: string | undefined;
	/** Dify began to answer. */
	private hasResponse = false;
	/** Lines came that are no events: a proxy's page. */
	private hasNonEventLines = false;
	/** Why the events ended before the run. */
	private streamError: ServerError | undefined;
	/** Why it was given up here. */
	private abandoned: { detail?: string } | undefined;
	private stopRequest: Promise<boolean> | undefined;
	private clearTimer = () => {};

	constructor(
		private readonly client: DifyClient,
		private readonly ask: Pick<RequestOptions, 'url' | 'json' | 'method'>,
		private readonly run: RunState,
		private readonly options: RunReaderOptions,
	) {
		this.limits = { ...DEFAULT_RUN_TIMEOUTS, ...options.timeouts };
	}

	/** Reads the events. @throws {ServerError} where no run began */
	async read(): Promise<void> {
		const { signal } = this.client;
		if (signal?.aborted === true) throw createDifyError('aborted', { url: this.ask.url });
		signal?.addEventListener('abort', this.abandon, { once: true });
		try {
			await this.events();
		} catch (error) {
			this.streamError = captureError(error).failed;
		} finally {
			signal?.removeEventListener('abort', this.abandon);
			this.clearTimer();
		}
	}

	async finish(): Promise<RunResult> {
		const { streamError, run } = this;
		const rest = flushText(run);
		if (this.abandoned !== undefined) throw await this.createCancelledError(this.abandoned.detail);
		await this.show(rest);
		if (streamError !== undefined && run.count.isExceeded) throw await this.tooMuch(streamError);
		if (isRunFinished(run)) return await this.result();
		if (streamError?.status !== undefined) throw this.withMayHaveStarted(streamError);
		if (run.end !== undefined)
			return await this.result(isSuccessStatus(run.end.status) ? MISSING_FINAL_EVENT : undefined);
		return await this.finishWithoutEnd();
	}

	/** Of a run whose end did not come. */
	private async finishWithoutEnd(): Promise<RunResult> {
		const { streamError, run } = this;
		const late = isTimeout(streamError) && !isRunFinishing(run) ? streamError : undefined;
		if (run.workflowRunId !== undefined || isAgent(run)) return await this.recover(late);
		throw late === undefined
			? this.createLostError(streamError)
			: await this.createTimeoutError(late);
	}

	private async events(): Promise<void> {
		const { run } = this;
		const { idleMs, totalMs } = this.limits;
		const asked: RequestOptions = {
			...this.ask,
			signal: this.abortController.signal,
			isIdempotent: false,
			maxBytes: MAX_STREAM_BYTES,
			timeouts: { firstTokenMs: idleMs, idleMs, totalMs },
		};
		await this.client.open(asked, async (answer) => {
			this.hasResponse = true;
			const { url, status, headers } = answer;
			this.version = headers['x-version'];
			for await (const batch of answer.events(MAX_EVENT_LENGTH)) {
				const deltas: TextDelta[] = [];
				for (const data of batch) {
					const event = parseJson(data);
					const isEnvelope =
						isRecord(event) && !('event' in event) && parseErrorBody(event) !== undefined;
					// Instead of a stream: a rejection with status 200. After events, it is the error of their run.
					if (isEnvelope && hasReceivedNothing(run))
						throw toResponseError(this.client.endpoint, asked, {
							url,
							status,
							headers,
							text: data,
						});
					pushAll(deltas, applyEvent(run, isEnvelope ? { ...event, event: 'error' } : event));
				}
				if (this.abandoned !== undefined) this.requestStop();
				else await this.show(deltas);
				if (isRunFinished(run)) return;
				answer.markContent();
				if (isRunFinishing(run)) answer.expectEnd();
			}
			this.hasNonEventLines = answer.getNonEventLines().length > 0;
		});
	}

	/** The text of a run that was attached to is shown when it is whole. */
	private async show(deltas: TextDelta[]): Promise<void> {
		const { onDeltas } = this.options;
		if (deltas.length === 0 || onDeltas === undefined || this.run.isAttached) return;
		try {
			// A display that hangs must not block a run that is stopped.
			await rejectOnAbort(this.abortController.signal, async () => await onDeltas(deltas));
		} catch (error) {
			// Nobody would see the rest of the answer.
			if (this.abandoned === undefined)
				this.abandon(`the response could not be passed on: ${getErrorMessage(error)}`);
		}
	}

	private readonly abandon = (why?: unknown) => {
		this.abandoned ??= omitUndefined({ detail: typeof why === 'string' ? why : undefined });
		if (this.options.stop === undefined) this.abortController.abort();
		else if (this.run.taskId !== undefined) this.requestStop();
		else this.closeAfter(TASK_ID_WAIT_MS);
	};

	private closeAfter(ms: number): void {
		this.clearTimer();
		this.clearTimer = setUnrefTimeout(ms, () => this.abortController.abort());
	}

	/** Tells Dify to stop, as soon as the run has an ID. */
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
		const meaning = detail === undefined ? undefined : `The run was cancelled: ${detail}`;
		return await this.createRunFailure('aborted', { ...omitUndefined({ detail: meaning }) });
	}

	private async createTimeoutError({ type }: ServerError): Promise<ServerError> {
		this.requestStop();
		const isTotal = type === 'totalTimeout';
		const detail = isTotal
			? `The run took longer than ${formatDuration(this.limits.totalMs)} (Total Timeout)`
			: `Dify sent only pings for ${formatDuration(this.limits.idleMs)} (Idle Timeout)`;
		return await this.createRunFailure(this.isQueued ? 'runQueued' : 'runTimeout', {
			detail,
			about: { isRunStart: true },
		});
	}

	/** A run that writes without an end is stopped, as one that takes too long. */
	private async tooMuch({ message, suggestion }: ServerError): Promise<ServerError> {
		this.requestStop();
		return await this.createRunFailure('invalidResponse', { message, suggestion });
	}

	/** A new run of which nothing but pings came. */
	private get isQueued(): boolean {
		const isNew = this.options.runId === undefined;
		return isNew && this.hasResponse && !this.hasNonEventLines && hasReceivedNothing(this.run);
	}

	/** A lost run without an ID, by which its record could be found. */
	private createLostError(failed: ServerError | undefined): ServerError {
		if (failed !== undefined && hasReceivedNothing(this.run) && !this.hasResponse)
			return this.withMayHaveStarted(failed);
		return createDifyError(
			this.isQueued && failed === undefined ? 'runQueued' : 'streamEndedEarly',
			{
				url: this.ask.url,
				status: 200,
				result: toRunResult(this.run),
				facts: { difyVersion: this.version },
			},
		);
	}

	/** What a proxy or a broken connection leaves open. */
	private withMayHaveStarted(failed: ServerError): ServerError {
		const isOpen = this.options.runId === undefined && MAY_HAVE_STARTED_ERRORS.has(failed.type);
		return isOpen ? failed.withSuggestion(`${failed.suggestion} ${MAY_HAVE_STARTED}`) : failed;
	}

	/** @param late a limit ended the stream, which may have been frozen: what Dify keeps is looked at once */
	private async recover(late: ServerError | undefined): Promise<RunResult> {
		const { client, run, options, limits } = this;
		const { workflowRunId } = run;
		const timeoutMs = late === undefined ? limits.totalMs : POLL_ONCE_MS;
		const shown = run.isAttached ? '' : run.text;
		const waiting =
			workflowRunId === undefined
				? completeFromMessage(client, run, this.ask.json?.user, timeoutMs || limits.idleMs)
				: completeFromRunRecord(client, run, workflowRunId, { ...options, timeoutMs });
		const deltas = await waiting.catch(async (error: unknown) => {
			const { type } = captureError(error).failed;
			const isStopped = client.signal?.aborted === true;
			if (isStopped || type === 'runTimeout') this.requestStop();
			if (isStopped) throw await this.createCancelledError();
			throw late === undefined
				? this.createLostError(undefined)
				: await this.createTimeoutError(late);
		});
		run.isAttached = false;
		pushAll(deltas, flushText(run));
		await this.show(shown === '' ? [{ type: 'append', text: run.text }] : deltas);
		return await this.result(
			workflowRunId === undefined ? RECOVERED_FROM_MESSAGE : RECOVERED_FROM_RUN_RECORD,
		);
	}

	private async result(warning?: string): Promise<RunResult> {
		const { run } = this;
		if (run.end?.status === 'stopped') await this.addStoppedOutputs();
		const result = toRunResult(run);
		const { error, warnings } = result;
		const context = toErrorContext(this.client.endpoint, this.ask.url);
		if (error !== undefined) throw createRunError({ ...result, error }, context, this.version);
		if (run.isAttached && run.text !== '') {
			run.isAttached = false;
			await this.show([{ type: 'append', text: run.text }]);
		}
		return { ...result, warnings: warning === undefined ? warnings : [...warnings, warning] };
	}

	/** Dify 1.16 ends a run whose form was answered as stopped, and writes its outputs a moment later, in its record only. */
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

	private async createRunFailure(
		type: 'aborted' | 'runTimeout' | 'runQueued' | 'invalidResponse',
		words: Parameters<typeof createDifyError>[1],
	): Promise<ServerError> {
		const stopRequested = await this.stopRequest;
		const facts = omitUndefined({ difyVersion: this.version, stopRequested });
		return createDifyError(type, {
			url: this.ask.url,
			result: toRunResult(this.run),
			facts,
			...words,
		});
	}
}

function isTimeout(failed: ServerError | undefined): failed is ServerError {
	return ['firstTokenTimeout', 'idleTimeout', 'totalTimeout'].includes(failed?.type ?? '');
}

/** Whether nothing but pings came. */
function hasReceivedNothing({
	taskId,
	messageId,
	conversationId,
	text,
	invalidEvents,
}: RunState): boolean {
	return invalidEvents === 0 && [taskId, messageId, conversationId, text].every((each) => !each);
}

/** An agent, whose message can be found. */
function isAgent({ thoughts, conversationId, messageId }: RunState): boolean {
	return thoughts.length > 0 && conversationId !== undefined && messageId !== undefined;
}
