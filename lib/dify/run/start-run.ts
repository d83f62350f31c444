import { asServerErrorOrThrow, ServerError } from '../../errors/server-error';
import { RetryPolicy } from '../../http/retry-policy';
import { withSpan } from '../../tracing/span';
import type { JsonRecord } from '../../values/records';
import { omitEmpty, omitUndefined } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import { explainAppTypeError } from '../app';
import { DifyClient } from '../client';
import { explainInputError } from '../input-error';
import type { RunResult } from '../types';
import type { RunReaderOptions } from './run-reader';
import { followRun, mayLackForms } from './follow-run';
import { readRun } from './run-reader';
import type { RunRoute } from './run-route';
import { sendStop } from './send-stop';

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
	/** Retries of a run that Dify did not accept. Default: none. */
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
 * responses. Resent only if Dify did not accept the run: connection refused, or too many concurrent runs.
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
	const policy = new RetryPolicy({ maxRetries: request.retries });
	const runClient = client.forRun(json);
	for (;;) {
		policy.onSend();
		const result = await withSpan(runClient.endpoint, {
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
		}).catch(asServerErrorOrThrow);
		if (!(result instanceof ServerError))
			return await followForMissingForms(runClient, result, request);
		const error = result;
		if (error.type === 'invalidInputs') throw await explainInputError(error, client);
		if (!error.retryable) throw await explainAppTypeError(client, error, route.mode);
		await client.sleep(policy.takeDelayMsOrThrow(error));
	}
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
