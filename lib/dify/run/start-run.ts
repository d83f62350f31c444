/** Starts runs of apps, and stops them. */
import { asServerErrorOrThrow, ServerError } from '../../errors/server-error';
import { RetryPolicy } from '../../http/retry-policy';
import type { RequestAttributes } from '../../tracing/attributes';
import { withSpan } from '../../tracing/span';
import type { JsonRecord } from '../../values/records';
import { omitEmpty, omitUndefined, asRecord } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import { explainAppTypeError, findLatestConversation } from '../app';
import { DifyClient, apiPath } from '../client';
import { hasRunStarted, createLocalError, getPartialResult } from '../errors';
import { explainInputError, parseForm } from '../forms';
import type { DifyAppMode, RunResult } from '../types';
import type { RunReaderOptions } from './run-reader';
import { followRun, mayLackForms } from './follow-run';
import { readRun } from './run-reader';

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
	/** Retries of a run that Dify did not accept. Default: none. */
	retries?: number;
}

/** Routes that start and stop runs of an app type. */
interface RunRoute {
	/** Name of the operation in traces. */
	operation: RequestAttributes['operation'];
	startPath: string;
	/** Path before the task ID. Default: `startPath`. */
	tasksPath?: string;
	/** App mode of this route, for errors. */
	mode: DifyAppMode;
}

const CHAT: RunRoute = {
	operation: 'chat',
	startPath: '/chat-messages',
	mode: 'chat',
};
const COMPLETION: RunRoute = {
	operation: 'text_completion',
	startPath: '/completion-messages',
	mode: 'completion',
};
const WORKFLOW: RunRoute = {
	operation: 'invoke_workflow',
	startPath: '/workflows/run',
	tasksPath: '/workflows/tasks',
	mode: 'workflow',
};

/**
 * Starts a run and reads it to its end. Always streams: agent apps reject anything else, and proxies cut long silent
 * responses. Resent only if Dify did not accept the run: connection refused, or too many concurrent runs.
 *
 * @returns a run that succeeded, paused, or was stopped elsewhere
 * @throws {ServerError} with the partial result and all IDs, or if Dify was not reached
 */
async function startRun(
	client: DifyClient,
	route: RunRoute,
	request: RunRequest,
	extraFields?: JsonRecord,
): Promise<RunResult> {
	const { inputs, user, files, traceId } = request;
	const common = { inputs, user, response_mode: 'streaming', ...extraFields };
	const json = { ...common, ...omitEmpty({ files }), trace_id: traceId };
	const policy = new RetryPolicy(request.retries ?? 0, false);
	for (;;) {
		const running = withSpan(
			client.endpoint,
			{ operation: route.operation, provider: 'dify' },
			async (target) =>
				await readRun(
					new DifyClient(target, client.signal),
					{ url: client.buildUrl(route.startPath), json },
					{
						...request,
						// Required also after the execution was stopped.
						stop: async (taskId) =>
							await requestStop(client.withSignal(undefined), route, { taskId, user }).then(
								() => true,
								() => false,
							),
					},
				),
			({ conversationId, messageId: id, status: finishReason, usage }) => ({
				conversationId,
				id,
				finishReason,
				usage: {
					promptTokens: asFiniteNumber(usage?.prompt_tokens),
					completionTokens: asFiniteNumber(usage?.completion_tokens),
				},
			}),
		);
		const attempt = await running.catch(asServerErrorOrThrow);
		if (!(attempt instanceof ServerError)) return await withMissingForms(client, attempt, request);
		if (attempt.type === 'invalidInputs') throw await explainInputError(attempt, client);
		if (!attempt.retryable) throw await explainAppTypeError(client, attempt, route.mode);
		await client.sleep(policy.takeDelayMsOrThrow(attempt, Infinity));
	}
}

/** Reads the forms of a run whose stream was lost before its pause: its record has none, but its events repeat them. */
async function withMissingForms(
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

const STOP_TIMEOUT_MS = 5_000;

/** Requests the stop of a run. Dify returns "success" for any ID (docs/protocols/dify.md 2.2), so the effect is unknown. */
async function requestStop(
	client: DifyClient,
	{ startPath, tasksPath = startPath }: RunRoute,
	{ taskId, user }: StopRequest,
): Promise<void> {
	await client.sendJson('POST', tasksPath + apiPath`/${taskId}/stop`, {
		json: { user },
		timeoutMs: STOP_TIMEOUT_MS,
		isIdempotent: true,
	});
}

interface StopRequest {
	/** Task ID of the run, not its run ID. */
	taskId: string;
	/** The user who started the run. */
	user: string;
}

/**
 * Stops the run of a workflow.
 *
 * @throws {ServerError}
 */
export async function stopWorkflow(client: DifyClient, request: StopRequest): Promise<void> {
	await requestStop(client, WORKFLOW, request).catch(async (error: unknown) => {
		throw await explainAppTypeError(client, error, 'workflow');
	});
}

/**
 * Runs a workflow.
 *
 * @throws {ServerError} as `startRun` does
 */
export async function runWorkflow(client: DifyClient, request: RunRequest): Promise<RunResult> {
	const { workflowId } = request;
	const startPath =
		workflowId === undefined ? WORKFLOW.startPath : apiPath`/workflows/${workflowId}/run`;
	return await startRun(client, { ...WORKFLOW, startPath }, request);
}

/** Conversation of a message. */
export type ConversationChoice =
	| { type: 'new'; id?: undefined }
	/** The one that the user last used, looked up in Dify. */
	| { type: 'latest' }
	| { type: 'id'; id: string };

export interface ChatMessageRequest extends RunRequest {
	/** Sent unchanged. */
	query: string;
	conversation: ConversationChoice;
	/** Dify's default: true. */
	autoGenerateName?: boolean;
	/** What to do if the conversation is missing, ended, or belongs to another user. Default: fail. */
	onStaleConversation?: 'error' | 'startNew';
}

interface ChatMessageResult {
	result: RunResult;
	/** The conversation could not be continued, so a new one was started. */
	conversationRestarted: boolean;
}

/**
 * Sends one message to a chatbot, agent or chatflow.
 *
 * @throws {ServerError} as `startRun` does
 */
export async function sendChatMessage(
	client: DifyClient,
	request: ChatMessageRequest,
): Promise<ChatMessageResult> {
	const { conversation, query, autoGenerateName, workflowId } = request;
	// A blank query is valid in Dify (docs/protocols/dify.md 2.1).
	if (query === '') throw createLocalError('emptyQuery');
	const run = async (id?: string) =>
		await startRun(client, CHAT, request, {
			query,
			conversation_id: id,
			auto_generate_name: autoGenerateName,
			workflow_id: workflowId,
		});
	const id =
		conversation.type === 'latest'
			? await findLatestConversation(client, request.user)
			: conversation.id;
	if (id === undefined) return { result: await run(), conversationRestarted: false };
	try {
		const result = await run(id);
		// 1.14 starts a new one if a chatflow's conversation is unknown (docs/protocols/dify.md 12.2).
		const { conversationId = id } = result;
		return { result, conversationRestarted: conversationId.toLowerCase() !== id.toLowerCase() };
	} catch (error) {
		if (request.onStaleConversation !== 'startNew' || !isStale(error)) throw error as Error;
		// The requested conversation could not be continued, so a new one is started.
		return { result: await run(), conversationRestarted: true };
	}
}

function isStale(error: unknown) {
	if (!(error instanceof ServerError) || hasRunStarted(getPartialResult(error))) return false;
	return error.type === 'conversationNotFound' || error.type === 'conversationEnded';
}

/**
 * Runs a text generator.
 *
 * @throws {ServerError} as `startRun` does
 */
export async function sendCompletionMessage(
	client: DifyClient,
	request: RunRequest,
): Promise<RunResult> {
	const result = await startRun(client, COMPLETION, request);
	// A stopped run ends like any other, but Dify counts no tokens (docs/protocols/dify.md 12.1).
	const { total_tokens: total } = asRecord(asRecord(result.metadata).usage);
	if (total !== 0 || result.text === '') return result;
	return {
		...result,
		warnings: [
			...result.warnings,
			'The text may be incomplete: Dify counted no tokens, which happens for stopped runs and preset replies.',
		],
	};
}

/**
 * Puts the text into the only text variable of the form.
 *
 * @param parameters response of `GET /parameters`
 * @throws {ServerError} if the form has no or several text variables left
 */
export function withTextInput(
	inputs: JsonRecord,
	text: string,
	parameters: JsonRecord,
): JsonRecord {
	const names = parseForm(parameters)
		.filter(
			({ type, variable }) => ['text-input', 'paragraph'].includes(type) && !(variable in inputs),
		)
		.map(({ variable }) => variable);
	if (names.length === 1) return { ...inputs, [names[0]!]: text };
	if (names.length === 0) {
		throw createLocalError('invalidInputs', {
			title: 'The app has no variable for the field Text',
			suggestion: 'Clear the field Text and fill in the form of the app.',
		});
	}
	throw createLocalError('invalidInputs', {
		title: 'The field Text matches more than one variable of the app',
		suggestion: `Clear the field Text and fill in the form of the app, or fill in all of its text variables except one: ${names.join(', ')}.`,
	});
}
