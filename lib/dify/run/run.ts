import type { EventStream } from '../../http/types';
import type { FailureKind } from '../../errors/kinds';
import { asFailed, type ServerError } from '../../errors/server-error';
import { resultOfBlocking } from './blocking-answer';
import { retryDelay, type DifyClient } from '../client';
import type { RunState } from '../events';
import { answerError, hasBegun, resultOf, runError } from '../errors/failure';
import {
	exactJson,
	keptAsText,
	finiteNumber,
	isRecord,
	nonEmptyText,
	recordOf,
	type JsonRecord,
} from '../../values';
import type { TracedRequest, TracedAnswer } from '../../tracing/attributes';
import { inSpan } from '../../tracing/span';
import { explainInputs } from '../forms/input-form';
import { recordedResult, withWarning } from './follow';
import { endedRecord } from './record';
import { DEFAULT_RUN_LIMITS, type RunLimits } from './limits';
import { RunReader, failureOf, isOtherConversation, type ReadingOptions } from './reading';
import type { RunResult } from '../types';

export interface RunOptions extends ReadingOptions {
	limits?: Partial<RunLimits>;
	/** Retries of a run that Dify did not accept. */
	retries?: number;
	/** Milliseconds before the first retry, doubled each time; default 1 s. */
	retryPauseMs?: number;
	/**
	 * Recovers a run whose stream was lost, or whose answer never came: it may go on in Dify.
	 *
	 * @returns its result; undefined where the run was not found
	 * @throws {ServerError} in place of the error of the stream
	 */
	recover?: (lost: LostRun) => Promise<RunResult | undefined>;
}

/** A run whose stream was lost, though it may go on. */
export interface LostRun {
	/** All that is known of it. */
	state: RunState;
	/** How the stream ended. */
	failed: ServerError;
	/** When the run was sent: milliseconds of `Date.now()`, and of `performance.now()`. */
	sentAt: { date: number; clock: number };
	limits: RunLimits;
}

/** Routes that start and stop runs of a type of app. */
export interface RunRoute {
	/** Name of the operation in traces. */
	operation: TracedRequest['operation'];
	start: string;
	/** Path before the task ID. */
	tasks: string;
}

export const RUN_ROUTES = {
	chat: { operation: 'chat', start: '/chat-messages', tasks: '/chat-messages' },
	completion: {
		operation: 'text_completion',
		start: '/completion-messages',
		tasks: '/completion-messages',
	},
	workflow: { operation: 'invoke_workflow', start: '/workflows/run', tasks: '/workflows/tasks' },
} as const satisfies Record<string, RunRoute>;

const STOP_LIMIT_MS = 5_000;
const MAX_PAUSE_MS = 15_000;

/**
 * Starts a run and reads its stream to the end. Always streams: agent apps refuse anything else, and proxies cut long
 * silent answers. A run that Dify may have begun is never sent again.
 *
 * @param body the request without `user` and `response_mode`
 * @returns a run that succeeded, paused, or was stopped by someone else
 * @throws {ServerError} with the partial result and all ids, or when Dify was not reached
 */
export async function startRun(
	client: DifyClient,
	route: RunRoute,
	body: JsonRecord,
	user: string,
	options: RunOptions = {},
): Promise<RunResult> {
	const url = client.url(route.start);
	const json = { ...body, user, response_mode: 'streaming' };
	for (let tries = 0; ; ) {
		const { concurrency } = client;
		const events: unknown[] = [];
		const gathering =
			options.onEvent === undefined ? {} : { onEvent: (event: unknown) => void events.push(event) };
		await client.enter(concurrency, url);
		const onRunId = (runId: string) => concurrency.note(runId);
		const attempted = { ...options, ...gathering, onRunId };
		const outcome = await inSpan(
			client.connection,
			{ operation: route.operation, provider: 'dify' },
			async (connection) => await attempt(client.traced(connection), route, json, attempted),
			spanResult,
		).then((result) => ({ result }), asFailed);
		if ('result' in outcome) {
			concurrency.accepted();
			concurrency.leave();
			for (const event of events) options.onEvent?.(event);
			return outcome.result;
		}
		const { failed } = outcome;
		if (isConcurrencyLimit(failed)) {
			if (concurrency.refused()) continue;
		} else concurrency.leave();
		const backOff = Math.min((options.retryPauseMs ?? 1_000) * 2 ** tries, MAX_PAUSE_MS);
		const pause = retryDelay(failed, backOff);
		if (pause === undefined || tries++ >= (options.retries ?? 0) || !isSafeToRetry(failed))
			throw await explainFormError(client, failed, recordOf(body.inputs));
		await client.pause(pause, url);
	}
}

/** Adds the labels of the app's form to an input error: new users often leave the form empty. */
async function explainFormError(
	client: DifyClient,
	failed: ServerError,
	inputs: JsonRecord,
): Promise<ServerError> {
	if (failed.kind !== 'inputs') return failed;
	const parameters = await client.get('/parameters').catch(() => ({}));
	return explainInputs(failed, parameters, inputs) ?? failed;
}

/**
 * Asks Dify to stop a run. It answers "success" for any ID (docs/protocols/dify.md 2.2), so the effect is unknown.
 *
 * @throws {ServerError}
 */
export async function requestStop(
	client: DifyClient,
	{ tasks }: RunRoute,
	taskId: string,
	user: string,
	timeoutMs?: number,
): Promise<void> {
	const path = `${tasks}/${encodeURIComponent(taskId)}/stop`;
	await client.send('POST', path, { user }, { timeoutMs, idempotent: true });
}

/** Stops an abandoned run, also after the execution was stopped. @returns whether Dify accepted the request */
export async function stopRun(
	client: DifyClient,
	route: RunRoute,
	taskId: string,
	user: string,
): Promise<boolean> {
	const asked = requestStop(client.withSignal(undefined), route, taskId, user, STOP_LIMIT_MS);
	return await asked.then(
		() => true,
		() => false,
	);
}

/**
 * Only a refused connection and a refusal for too many runs at once are safe (docs/protocols/dify.md 5.3). Any other
 * run may have begun.
 */
function isSafeToRetry(error: ServerError): boolean {
	return error.retryable && !hasBegun(resultOf(error));
}

/** Whether the app's limit of concurrent runs refused this run. */
function isConcurrencyLimit(error: ServerError): boolean {
	return error.kind === 'tooManyRequests' && !hasBegun(resultOf(error));
}

function spanResult({ conversationId, messageId, usage, status }: RunResult): TracedAnswer {
	const [promptTokens, completionTokens] = [usage?.prompt_tokens, usage?.completion_tokens].map(
		finiteNumber,
	);
	return {
		conversationId,
		id: messageId,
		finishReason: status,
		usage: { promptTokens, completionTokens },
	};
}

async function attempt(
	client: DifyClient,
	route: RunRoute,
	json: JsonRecord & { user: string },
	options: RunOptions,
): Promise<RunResult> {
	const limits = { ...DEFAULT_RUN_LIMITS, ...options.limits };
	const look = async (runId: string) =>
		await endedRecord(client, runId, options.hints?.acrossPauses);
	const stop = async (taskId: string) => await stopRun(client, route, taskId, json.user);
	const reader = new RunReader(client, { look, ...options }, limits, stop);
	const sentAt = { date: Date.now(), clock: performance.now() };
	return await readRun(client, client.url(route.start), json, reader, options).catch(
		async (error: unknown) => {
			const { failed } = asFailed(error);
			if (
				reader.abandoned !== undefined ||
				client.signal?.aborted === true ||
				!LOST.has(failed.kind)
			)
				throw failed;
			const result = await options.recover?.({ state: reader.state, failed, sentAt, limits });
			if (result === undefined) throw failed;
			return result;
		},
	);
}

/** Failures after which the run may go on. */
const LOST: ReadonlySet<FailureKind> = new Set([
	'streamEndedEarly',
	'queued',
	'connectionLost',
	'closedBeforeAnswer',
	'gateway',
]);

async function readRun(
	client: DifyClient,
	url: string,
	json: JsonRecord,
	reader: RunReader,
	options: RunOptions,
): Promise<RunResult> {
	try {
		const stream = await reader.open(url, { json });
		const reading = await reader.read(stream);
		if (reading.refused !== undefined) throw reading.refused;
		if (reading.whole !== undefined)
			return await wholeResult(client, stream, reading.whole, options);
		// Records hold no forms: a paused run is attached to.
		if (reading.record !== undefined && reading.record.status !== 'paused')
			return await recordedResult(client, reader.state, reading.record, url, options);
		const result = reader.resultOf(reading);
		if (result.status !== 'failed') return result;
		throw runError(client.connection, result, stream, reader.stopRequested);
	} finally {
		reader.end();
	}
}

/**
 * Reads an answer in place of a stream: some proxies and old versions send a blocking answer, or an error with status
 * 200.
 */
async function wholeResult(
	{ connection }: DifyClient,
	stream: EventStream,
	whole: string,
	options: RunOptions,
): Promise<RunResult> {
	const { value: body, large } = exactJson(whole);
	options.onEvent?.(body ?? whole);
	if (!isRecord(body) || isErrorEnvelope(body)) {
		const answer = {
			status: stream.status,
			headers: stream.headers,
			text: whole,
			json: body,
			url: stream.url,
		};
		throw answerError(connection, answer, 'POST');
	}
	const answered = keptAsText(large).reduce(withWarning, resultOfBlocking(body, options.hints));
	const { onlyConversation: only } = options;
	const result =
		only !== undefined && isOtherConversation(answered.conversationId, only)
			? ofOtherConversation(answered)
			: answered;
	if (result.status === 'failed') throw runError(connection, result, stream);
	// The answer is complete, even if it cannot be shown.
	if (result.text !== '')
		await failureOf(async () => await options.onDeltas?.([{ type: 'append', text: result.text }]));
	return result;
}

function isErrorEnvelope(body: JsonRecord): boolean {
	if (typeof body.answer === 'string' || isRecord(body.data)) return false;
	return (
		nonEmptyText(body.code) !== undefined ||
		nonEmptyText(body.message) !== undefined ||
		body.error !== undefined
	);
}

function ofOtherConversation(result: RunResult): RunResult {
	const message = 'Dify did not continue the conversation, but answered in a new one';
	return { ...result, status: 'failed', error: { cause: 'otherConversation', message } };
}
