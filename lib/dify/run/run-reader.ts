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
	limits?: Partial<RunTimeouts>;
	/** Called with changes of the text, for a live display. */
	onDeltas?: (deltas: TextDelta[]) => Promise<void>;
	/** Tells Dify to stop the run. Missing: the run is not ours, and goes on. @returns whether Dify accepted that */
	stop?: (taskId: string) => Promise<boolean>;
	/** A run that was started before. */
	runId?: string;
	/** A pause is no end: the run goes on once its form is answered. */
	acrossPauses?: boolean;
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
	'closedBeforeAnswer',
	'connectionLost',
	'gateway',
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
	const { runId, acrossPauses } = options;
	const run = createRunState({ isPartial: runId !== undefined, acrossPauses });
	run.workflowRunId = runId;
	const reading = new RunReader(client, ask, run, options);
	await reading.read();
	return await reading.conclude();
}

class RunReader {
	private readonly closing = new AbortController();
	private readonly limits: RunTimeouts;
	private version: string | undefined;
	/** Dify began to answer. */
	private isAnswered = false;
	/** Lines came that are no events: a proxy's page. */
	private isForeign = false;
	/** Why the events ended before the run. */
	private failed: ServerError | undefined;
	/** Why it was given up here. */
	private given: { detail?: string } | undefined;
	private stopping: Promise<boolean> | undefined;
	private disarm = () => {};

	constructor(
		private readonly client: DifyClient,
		private readonly ask: Pick<RequestOptions, 'url' | 'json' | 'method'>,
		private readonly run: RunState,
		private readonly options: RunReaderOptions,
	) {
		this.limits = { ...DEFAULT_RUN_TIMEOUTS, ...options.limits };
	}

	/** Reads the events. @throws {ServerError} where no run began */
	async read(): Promise<void> {
		const { signal } = this.client;
		if (signal?.aborted === true) throw createDifyError('cancelled', { url: this.ask.url });
		signal?.addEventListener('abort', this.giveUp, { once: true });
		try {
			await this.events();
		} catch (error) {
			this.failed = captureError(error).failed;
		} finally {
			signal?.removeEventListener('abort', this.giveUp);
			this.disarm();
		}
	}

	async conclude(): Promise<RunResult> {
		const { failed, run } = this;
		const rest = flushText(run);
		if (this.given !== undefined) throw await this.cancelled(this.given.detail);
		await this.show(rest);
		if (failed !== undefined && run.count.isExceeded) throw await this.tooMuch(failed);
		if (isRunFinished(run)) return await this.result();
		if (failed?.status !== undefined) throw this.withDoubt(failed);
		if (run.end !== undefined)
			return await this.result(isSuccessStatus(run.end.status) ? MISSING_FINAL_EVENT : undefined);
		return await this.withoutEnd();
	}

	/** Of a run whose end did not come. */
	private async withoutEnd(): Promise<RunResult> {
		const { failed, run } = this;
		const late = isTimeout(failed) && !isRunFinishing(run) ? failed : undefined;
		if (run.workflowRunId !== undefined || isAgent(run)) return await this.recovered(late);
		throw late === undefined ? this.lost(failed) : await this.timedOut(late);
	}

	private async events(): Promise<void> {
		const { run } = this;
		const { idleMs, totalMs } = this.limits;
		const asked: RequestOptions = {
			...this.ask,
			signal: this.closing.signal,
			isIdempotent: false,
			maxBytes: MAX_STREAM_BYTES,
			limits: { firstTokenMs: idleMs, idleMs, totalMs },
		};
		await this.client.open(asked, async (answer) => {
			this.isAnswered = true;
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
						throw toResponseError(this.client.target, asked, { url, status, headers, text: data });
					pushAll(deltas, applyEvent(run, isEnvelope ? { ...event, event: 'error' } : event));
				}
				if (this.given !== undefined) this.tellDify();
				else await this.show(deltas);
				if (isRunFinished(run)) return;
				answer.content();
				if (isRunFinishing(run)) answer.expectEnd();
			}
			this.isForeign = answer.strayLines().length > 0;
		});
	}

	/** The text of a run that was attached to is shown when it is whole. */
	private async show(deltas: TextDelta[]): Promise<void> {
		const { onDeltas } = this.options;
		if (deltas.length === 0 || onDeltas === undefined || this.run.isPartial) return;
		try {
			// A display that hangs must not block a run that is stopped.
			await rejectOnAbort(this.closing.signal, async () => await onDeltas(deltas));
		} catch (error) {
			// Nobody would see the rest of the answer.
			if (this.given === undefined)
				this.giveUp(`the response could not be passed on: ${getErrorMessage(error)}`);
		}
	}

	private readonly giveUp = (why?: unknown) => {
		this.given ??= omitUndefined({ detail: typeof why === 'string' ? why : undefined });
		if (this.options.stop === undefined) this.closing.abort();
		else if (this.run.taskId !== undefined) this.tellDify();
		else this.closeAfter(TASK_ID_WAIT_MS);
	};

	private closeAfter(ms: number): void {
		this.disarm();
		this.disarm = setUnrefTimeout(ms, () => this.closing.abort());
	}

	/** Tells Dify to stop, as soon as the run has an ID. */
	private tellDify(): void {
		const { taskId } = this.run;
		if (taskId === undefined || this.stopping !== undefined) return;
		this.closeAfter(STOP_GRACE_MS);
		this.stopping = this.options.stop?.(taskId);
		void this.stopping?.then((isAccepted) => {
			if (!isAccepted) this.closing.abort();
		});
	}

	private async cancelled(detail?: string): Promise<ServerError> {
		const meaning = detail === undefined ? undefined : `The run was cancelled: ${detail}`;
		return await this.ownFailure('cancelled', { ...omitUndefined({ meaning }) });
	}

	private async timedOut({ kind }: ServerError): Promise<ServerError> {
		this.tellDify();
		const isTotal = kind === 'totalLimit';
		const meaning = isTotal
			? `The run took longer than ${formatDuration(this.limits.totalMs)} (Total Timeout)`
			: `Dify sent only pings for ${formatDuration(this.limits.idleMs)} (Idle Timeout)`;
		return await this.ownFailure(this.isQueued ? 'queued' : 'timeout', {
			meaning,
			about: { startsRun: true },
		});
	}

	/** A run that writes without an end is stopped, as one that takes too long. */
	private async tooMuch({ message, remedy }: ServerError): Promise<ServerError> {
		this.tellDify();
		return await this.ownFailure('invalidAnswer', { message, remedy });
	}

	/** A new run of which nothing but pings came. */
	private get isQueued(): boolean {
		const isNew = this.options.runId === undefined;
		return isNew && this.isAnswered && !this.isForeign && hasReceivedNothing(this.run);
	}

	/** A lost run without an ID, by which its record could be found. */
	private lost(failed: ServerError | undefined): ServerError {
		if (failed !== undefined && hasReceivedNothing(this.run) && !this.isAnswered)
			return this.withDoubt(failed);
		return createDifyError(this.isQueued && failed === undefined ? 'queued' : 'streamEndedEarly', {
			url: this.ask.url,
			status: 200,
			result: toRunResult(this.run),
			facts: { difyVersion: this.version },
		});
	}

	/** What a proxy or a broken connection leaves open. */
	private withDoubt(failed: ServerError): ServerError {
		const isOpen = this.options.runId === undefined && MAY_HAVE_STARTED_ERRORS.has(failed.kind);
		return isOpen ? failed.withRemedy(`${failed.remedy} ${MAY_HAVE_STARTED}`) : failed;
	}

	/** @param late a limit ended the stream, which may have been frozen: what Dify keeps is looked at once */
	private async recovered(late: ServerError | undefined): Promise<RunResult> {
		const { client, run, options, limits } = this;
		const { workflowRunId } = run;
		const limitMs = late === undefined ? limits.totalMs : POLL_ONCE_MS;
		const shown = run.isPartial ? '' : run.text;
		const waiting =
			workflowRunId === undefined
				? completeFromMessage(client, run, this.ask.json?.user, limitMs || limits.idleMs)
				: completeFromRunRecord(client, run, workflowRunId, { ...options, limitMs });
		const deltas = await waiting.catch(async (error: unknown) => {
			const { kind } = captureError(error).failed;
			const isStopped = client.signal?.aborted === true;
			if (isStopped || kind === 'timeout') this.tellDify();
			if (isStopped) throw await this.cancelled();
			throw late === undefined ? this.lost(undefined) : await this.timedOut(late);
		});
		run.isPartial = false;
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
		const context = toErrorContext(this.client.target, this.ask.url);
		if (error !== undefined) throw createRunError({ ...result, error }, context, this.version);
		if (run.isPartial && run.text !== '') {
			run.isPartial = false;
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
		await client.pause(RECORD_DELAY_MS);
		const record = await fetchRunRecord(client, workflowRunId).catch(() => undefined);
		if (record === undefined) return;
		Object.assign(workflow, omitUndefined({ outputs: record.outputs, error: record.error }));
		run.text ||= findSingleText(record.outputs) ?? '';
	}

	private async ownFailure(
		kind: 'cancelled' | 'timeout' | 'queued' | 'invalidAnswer',
		words: Parameters<typeof createDifyError>[1],
	): Promise<ServerError> {
		const stopRequested = await this.stopping;
		const facts = omitUndefined({ difyVersion: this.version, stopRequested });
		return createDifyError(kind, {
			url: this.ask.url,
			result: toRunResult(this.run),
			facts,
			...words,
		});
	}
}

function isTimeout(failed: ServerError | undefined): failed is ServerError {
	return ['firstTokenLimit', 'idleLimit', 'totalLimit'].includes(failed?.kind ?? '');
}

/** Whether nothing but pings came. */
function hasReceivedNothing({
	taskId,
	messageId,
	conversationId,
	text,
	badEvents,
}: RunState): boolean {
	return badEvents === 0 && [taskId, messageId, conversationId, text].every((each) => !each);
}

/** An agent, whose message can be found. */
function isAgent({ thoughts, conversationId, messageId }: RunState): boolean {
	return thoughts.length > 0 && conversationId !== undefined && messageId !== undefined;
}
