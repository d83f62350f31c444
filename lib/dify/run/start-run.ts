import { asServerErrorOrThrow, ServerError } from '../../errors/server-error';
import { MAX_REFUSAL_MS } from '../../http/busy';
import type { Permit } from '../../http/queue';
import { RetryPolicy } from '../../http/retry-policy';
import { withSpan } from '../../tracing/span';
import type { JsonRecord } from '../../values/records';
import { omitEmpty, omitUndefined } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import { explainAppTypeError } from '../app';
import { DifyClient } from '../client';
import { createDifyError } from '../create-error';
import { explainInputError } from '../input-error';
import { getPartialResult, hasRunStarted } from '../partial-result';
import type { RunResult } from '../types';
import type { RunReaderOptions } from './run-reader';
import { followRun, mayLackForms } from './follow-run';
import { DEFAULT_RUN_TIMEOUTS, readRun } from './run-reader';
import type { RunRoute } from './run-route';
import { sendStop } from './send-stop';
import type { DifyErrorType, ErrorType } from '../../errors/error-types';
import { isOneOf } from '../../errors/error-types';

/** A run to start. */
export interface RunRequest extends Pick<
	RunReaderOptions,
	'timeouts' | 'onDeltas' | 'keepsNodeValues'
> {
	inputs: JsonRecord;
	user: string;
	/** For `sys.files`; file variables of the form belong in `inputs`. */
	files?: object[];
	traceId?: string;
	/** A published version of a chatflow or workflow. */
	workflowId?: string;
	/** Retries of a run that Dify did not accept; while it is busy, time limits them. Default: none. */
	retries?: number;
}

/** What is started, and where. */
interface RunStart {
	route: RunRoute;
	request: RunRequest;
	/** Fields of the body that only this route has. */
	extraFields?: JsonRecord;
}

/**
 * Starts a run and reads it to its end. Always streams: agent apps reject anything else, and proxies cut long silent
 * responses. Resent only if Dify did not accept the run: connection refused, or too many concurrent runs, of which fewer
 * are started at the same time then.
 *
 * @returns a run that succeeded, paused, or was stopped elsewhere
 * @throws {ServerError} with the partial result and all IDs, or if Dify was not reached
 */
export async function startRun(
	client: DifyClient,
	{ route, request, extraFields }: RunStart,
): Promise<RunResult> {
	const { inputs, user, files, traceId } = request;
	const common = { inputs, user, response_mode: 'streaming', ...extraFields };
	const json = { ...common, ...omitEmpty({ files }), trace_id: traceId };
	const runClient = client.forRun(json);
	const busyKey = `runs ${client.endpoint.id}`;
	const policy = new RetryPolicy({ maxRetries: request.retries, busyKey });
	const limitMs = getWaitLimitMs(request);
	let waitedMs = 0;
	const sendAndRead = async () =>
		await withSpan(runClient.endpoint, {
			request: { operation: route.operation, provider: 'dify' },
			work: async (endpoint) =>
				await readRun(
					new DifyClient(endpoint, client.signal),
					{ url: client.buildUrl(route.startPath), json },
					{
						...request,
						// Required also after the execution was stopped.
						stop: async (taskId) =>
							await sendStop(client.withSignal(undefined), route, { taskId, user }).then(
								() => true,
								() => false,
							),
					},
				),
			toAttributes: ({ conversationId, messageId: id, status: finishReason, usage }) => ({
				conversationId,
				id,
				finishReason,
				usage: {
					promptTokens: asFiniteNumber(usage?.prompt_tokens),
					completionTokens: asFiniteNumber(usage?.completion_tokens),
				},
			}),
		});
	for (;;) {
		const result = await withRunPermit(client, async (permit) => {
			policy.onSend();
			const outcome = await sendAndRead().catch(asServerErrorOrThrow);
			if (!(outcome instanceof ServerError)) permit.onAccept();
			else if (outcome.retryable && policy.waitsFor(outcome)) permit.onRefuse();
			else if (mayBeOneTooMany(outcome, { elapsedMs: policy.elapsedMs, client, request })) {
				permit.onRefuse();
				return undefined;
			}
			return outcome;
		});
		if (result === undefined) continue;
		if (!(result instanceof ServerError)) {
			policy.onAccept();
			return await followForMissingForms(runClient, result, request);
		}
		const error = explainRejectedRun(result, json);
		if (mayBeAboutInput(error)) throw await explainInputError(error, client);
		if (!error.retryable) throw await explainAppTypeError(client, error, route.mode);
		const delayMs = policy.takeDelayMsOrThrow(error, { remainingMs: limitMs - waitedMs });
		await client.sleep(delayMs);
		waitedMs += delayMs;
	}
}

/** Sends a run, not more at the same time than Dify takes, as far as its refusals in this execution show. */
async function withRunPermit<T>(
	{ runs, signal }: DifyClient,
	work: (permit: Permit) => Promise<T>,
): Promise<T> {
	const stats = { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 };
	const wait = { priority: 'interactive', signal, preempt: () => false, stats } as const;
	const stop = () => {
		throw createDifyError('aborted');
	};
	if (signal?.aborted === true) stop();
	// Max Concurrent Items limits them already: here, only what Dify refuses does.
	runs.limit = Infinity;
	const permit = await runs.acquire(wait).catch(stop);
	try {
		return await work(permit);
	} finally {
		permit.release();
	}
}

/** Dify's code for any value that it refuses. */
const REFUSED_VALUE = 'invalid_param';

/** How a run was refused. */
interface Refusal {
	/** Milliseconds from sending the run to its refusal. */
	elapsedMs: number;
	client: DifyClient;
	request: RunRequest;
}

/**
 * Whether Dify may have refused a run because others of this execution are running: up to 1.16 it answers so as for any value
 * that it refuses (docs/protocols/dify.md 5). The run is sent again when fewer are running, at last alone: then it is its value.
 */
function mayBeOneTooMany(
	{ status, code, result }: ServerError,
	{ elapsedMs, client, request: { retries = 0 } }: Refusal,
) {
	// The error of a run that began has a result.
	const isRefused = status === 400 && code === REFUSED_VALUE && result === undefined;
	const isAtOnce = elapsedMs < MAX_REFUSAL_MS;
	return isRefused && isAtOnce && retries > 0 && client.runs.active > 1;
}

/** How long a run may wait for a busy Dify: as long as for its first event, and never longer than it may take. */
function getWaitLimitMs({ timeouts }: RunRequest) {
	const { idleMs, totalMs } = { ...DEFAULT_RUN_TIMEOUTS, ...timeouts };
	return Math.min(idleMs || Infinity, totalMs || Infinity);
}

/** Dify reports a value as wrong, by its code or its type, and no run has begun. */
function mayBeAboutInput(error: ServerError): boolean {
	const isRefused = isRefusedValue(error.type) || error.code === REFUSED_VALUE;
	return isRefused && !hasRunStarted(getPartialResult(error));
}

/**
 * Follows a run whose stream broke before its pause, to read its forms: its record has none, but its events repeat
 * them.
 *
 * @returns the followed result, with what only the first one has; the first one if it lacks no form.
 */
async function followForMissingForms(
	client: DifyClient,
	result: RunResult,
	{ user, onDeltas, timeouts, keepsNodeValues }: RunRequest,
): Promise<RunResult> {
	const { workflowRunId: runId, text } = result;
	if (!mayLackForms(result) || runId === undefined) return result;
	const options = { runId, user, timeouts, keepsNodeValues };
	const followed = await followRun(client, options).catch(asServerErrorOrThrow);
	if (client.signal?.aborted === true) throw followed as ServerError;
	if (followed instanceof ServerError) return result;
	const rest = followed.text.startsWith(text) ? followed.text.slice(text.length) : '';
	if (rest !== '') await onDeltas?.([{ type: 'append', text: rest }]).catch(() => undefined);
	return {
		...followed,
		...omitUndefined({
			conversationId: result.conversationId,
			messageId: result.messageId,
			taskId: result.taskId,
			createdAt: result.createdAt,
			text: followed.text === '' ? text : undefined,
		}),
		warnings: [...new Set([...result.warnings, ...followed.warnings])],
	};
}

/** Dify refused a value. */
const isRefusedValue: (type: ErrorType) => boolean = isOneOf('invalidParam', 'runFailed');

/** Dify refused the URL of a file, or failed on it. */
const mayBeAboutFile = isOneOf('invalidParam', 'runFailed', 'serverError');

/**
 * Names what a run that Dify refused to start is about, by what was sent with it: the version or the conversation that Dify
 * has not found, or the file whose URL it quotes.
 *
 * @param sent - The body of the request.
 * @returns other errors unchanged
 */
export function explainRejectedRun(error: ServerError, sent: JsonRecord): ServerError {
	const type = hasRunStarted(getPartialResult(error)) ? undefined : findType(error, sent);
	return type === undefined ? error : error.asType(type);
}

function findType(
	{ type, serverText = '' }: ServerError,
	sent: JsonRecord,
): DifyErrorType | undefined {
	if (type === 'notFound') return findMissing(sent);
	const isFile = mayBeAboutFile(type) && findFileUrls(sent).some((url) => serverText.includes(url));
	return isFile ? 'fileUnreachable' : undefined;
}

/** What was sent that may not exist. */
function findMissing({
	workflow_id: version,
	conversation_id: conversation,
}: JsonRecord): DifyErrorType | undefined {
	// Only a chatflow has versions, and it starts a new conversation itself if it does not find the sent one.
	if (version !== undefined) return 'workflowVersionNotFound';
	return conversation === undefined ? undefined : 'conversationNotFound';
}

/** Files of a request stand in lists and in the inputs of a form. */
const MAX_DEPTH = 4;

/** The URLs of files that Dify downloads itself. */
function findFileUrls(value: unknown, depth = 0): string[] {
	if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
	const { transfer_method: method, url } = value as JsonRecord;
	if (method === 'remote_url' && typeof url === 'string' && url !== '') return [url];
	return Object.values(value).flatMap((inner) => findFileUrls(inner, depth + 1));
}
