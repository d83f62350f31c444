import type { EventStream } from '../../http/types';
import { asFailed, type ServerError } from '../../errors/server-error';
import { resultOfBlocking } from './blocking-answer';
import { retryDelay, type DifyClient } from '../client';
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
import { withWarning } from './endings';
import type { RunLimits } from './limits';
import { failureOf, observeRun, type RunListeners } from './observe';
import { differs } from './rules';
import type { RunResult } from '../types';

export interface RunOptions extends RunListeners {
	limits?: Partial<RunLimits>;
	/** Retries of a run that Dify did not accept. */
	retries?: number;
	/** Milliseconds before the first retry, doubled each time; default 1 s. */
	retryPauseMs?: number;
	/** Abandons a run of another conversation: Dify 1.14 starts a new one if a chatflow's conversation is unknown. */
	onlyConversation?: string;
	/**
	 * Recovers a run whose stream was lost: attaches to it, and reads its record where attaching is impossible (Dify
	 * before 1.14), once or until the run is over. Default: a lost run is a failure.
	 */
	record?: 'wait' | 'once';
	/** Finds the ID of a run that was lost before its first event. */
	findId?: (sentAt: Date) => Promise<string | undefined>;
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
	const { record, findId, onlyConversation, ...listeners } = options;
	const sentAt = new Date();
	return await observeRun(client, {
		...listeners,
		plan: { begin: 'send', recovers: record !== undefined, record, onlyConversation },
		request: { url: client.url(route.start), json },
		user: json.user,
		stop: async (taskId) => await stopRun(client, route, taskId, json.user),
		findId: findId === undefined ? undefined : async () => await findId(sentAt),
		readWhole: async (stream, text) => await wholeResult(client, stream, text, options),
	});
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
		only !== undefined && differs(answered.conversationId, only)
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
