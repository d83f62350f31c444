import { asFailed, type ServerError } from '../../errors/server-error';
import { pathSegment } from '../../http/path-segment';
import { retryDelay, type DifyClient } from '../client';
import { hasBegun, partialResultOf } from '../errors/failure';
import { filled, finiteNumber, optional, type JsonRecord } from '../../values';
import type { TracedRequest, TracedAnswer } from '../../tracing/attributes';
import { inSpan } from '../../tracing/span';
import type { DifyFileRef } from '../files/files';
import type { RunLimits } from './limits';
import type { Recovery } from './observation';
import { observeRun, type RunListeners } from './observe';
import type { RunResult } from '../types';

export interface RunOptions extends RunListeners {
	limits?: Partial<RunLimits>;
	/** Retries of a run that Dify did not accept. */
	retries?: number;
	/** Milliseconds before the first retry, doubled each time; default 1 s. */
	retryPauseMs?: number;
	/** Default: `none`. */
	recovery?: Recovery;
}

/** What every run takes. */
export interface RunRequest {
	inputs: JsonRecord;
	user: string;
	/** For `sys.files`; file variables of the form belong into `inputs`. */
	files?: DifyFileRef[];
	traceId?: string;
}

/** The body of a request, without the user. */
export function runBody({ inputs, files, traceId }: RunRequest): JsonRecord {
	return { inputs, ...filled({ files }), ...optional({ trace_id: traceId }) };
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
	for (let tries = 0; ; tries++) {
		const outcome = await attempt(client, route, json, options);
		if ('result' in outcome) return outcome.result;
		const pause = pauseBeforeRetry(outcome.failed, tries, options);
		if (pause === undefined) throw outcome.failed;
		await client.pause(pause, url);
	}
}

/** Undefined where the run is not sent again. @param tries retries so far */
function pauseBeforeRetry(
	failed: ServerError,
	tries: number,
	{ retries = 0, retryPauseMs = 1_000 }: RunOptions,
): number | undefined {
	if (tries >= retries || !isSafeToRetry(failed)) return undefined;
	return retryDelay(failed, Math.min(retryPauseMs * 2 ** tries, MAX_PAUSE_MS));
}

/** Sends the run once. */
async function attempt(
	client: DifyClient,
	route: RunRoute,
	json: StartRequest,
	options: RunOptions,
): Promise<{ result: RunResult } | { failed: ServerError }> {
	return await inSpan(
		client.connection,
		{ operation: route.operation, provider: 'dify' },
		async (connection) => await observe(client.traced(connection), route, json, options),
		spanResult,
	).then((result) => ({ result }), asFailed);
}

/** The body of a request that starts a run. */
type StartRequest = JsonRecord & { user: string };

async function observe(
	client: DifyClient,
	route: RunRoute,
	json: StartRequest,
	options: RunOptions,
): Promise<RunResult> {
	const { recovery = 'none', ...listeners } = options;
	return await observeRun(client, {
		...listeners,
		plan: { begin: 'send', recovery },
		request: { url: client.url(route.start), json },
		user: json.user,
		stop: async (taskId) => await stopRun(client, route, taskId, json.user),
	});
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
	const path = `${tasks}/${pathSegment(taskId)}/stop`;
	await client.send('POST', path, { user }, { timeoutMs, idempotent: true });
}

/** Stops an abandoned run, also after the execution was stopped. @returns whether Dify accepted the request */
export async function stopRun(
	client: DifyClient,
	route: RunRoute,
	taskId: string,
	user: string,
): Promise<boolean> {
	const stopping = requestStop(client.withSignal(undefined), route, taskId, user, STOP_LIMIT_MS);
	return await stopping.then(
		() => true,
		() => false,
	);
}

/**
 * Only a refused connection and a refusal for too many runs at once are safe (docs/protocols/dify.md 5.3). Any other
 * run may have begun.
 */
function isSafeToRetry(error: ServerError): boolean {
	return error.retryable && !hasBegun(partialResultOf(error));
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
