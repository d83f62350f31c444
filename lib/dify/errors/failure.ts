import { failure } from '../../errors/failure';
import type { DifyKind } from '../../errors/kinds';
import type { RemedyFacts } from '../../errors/remedies';
import { maskDeep } from '../../errors/secrets';
import { ServerError, type FailureDetails } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { CallAnswer, EventStream } from '../../http/types';
import { withRetryAfter } from '../../http/retry-after';
import { optional } from '../../values';
import { describeDifyFailure, describeRunError } from './classify';
import type { RunError, RunErrorCause, RunResult, WorkflowNode } from '../types';

/** IDs by which a run can be found in Dify. */
type RunIds = Pick<RunResult, 'conversationId' | 'messageId' | 'taskId' | 'workflowRunId'>;

/** An error of Dify. Its texts come from the table of remedies, unless `more` has them. */
export function difyFailure(
	kind: DifyKind,
	more: Partial<Omit<FailureDetails, 'kind'>> & { result?: RunResult; about?: RemedyFacts } = {},
): ServerError {
	const { url, result, facts, ...details } = more;
	return failure(
		kind,
		{ service: 'dify', url },
		{
			...details,
			...receivedIn(result),
			facts: { ...facts, ...(result === undefined ? {} : idsOf(result)) },
		},
	);
}

/** The execution was stopped while a request for a run was on its way. */
export function stoppedEarly(url: string): ServerError {
	const meaning = 'The execution was stopped before Dify answered';
	return difyFailure('cancelled', { url, meaning });
}

function receivedIn(result: RunResult | undefined): Partial<FailureDetails> {
	if (result === undefined) return {};
	return {
		result,
		partialText: result.text || undefined,
		partialReasoning: result.reasoning || undefined,
	};
}

/** The partial result of a failed run. */
export function partialResultOf(error: unknown): RunResult | undefined {
	return error instanceof ServerError ? (error.result as RunResult | undefined) : undefined;
}

function idsOf({ conversationId, messageId, taskId, workflowRunId }: RunIds): RunIds {
	return { conversationId, messageId, taskId, workflowRunId };
}

/** Whether Dify began the run: a worker that did not names no IDs. A message with an ID is stored. */
export function hasBegun(result: RunResult | undefined): boolean {
	return (
		result !== undefined &&
		(result.text !== '' || Object.values(idsOf(result)).some((id) => id !== undefined))
	);
}

const STARTS_RUN = /\/(?:chat-messages|completion-messages|workflows\/(?:[^/]+\/)?run)$/;

/** The error for an answer that is not what was asked for. */
export function answerError(
	connection: Connection,
	answer: CallAnswer,
	method: string,
): ServerError {
	const { status, headers, url } = answer;
	const target = redirectedTo(connection, answer);
	if (target !== undefined) {
		const from = target === url ? connection.url.root : url;
		const about = { location: target };
		return failure('redirect', connection.contextOf(from), { status, about });
	}
	const context = connection.contextOf(url);
	const { kind, code, serverText, ...described } = describeDifyFailure({
		status,
		body: answer.text,
		secrets: context.secrets,
		contentType: headers['content-type'],
		challenge: headers['www-authenticate'],
		method,
	});
	const failed = failure(kind, context, {
		status: described.status,
		code,
		retryable: described.retryable,
		serverText,
		facts: { difyVersion: headers['x-version'] },
		about: {
			status: described.status,
			startsRun: method === 'POST' && STARTS_RUN.test(new URL(url).pathname),
			countedTwice: countsTwice(serverText),
		},
	});
	return withRetryAfter(failed, headers['retry-after']);
}

/** With a limit of one run, Dify refuses every streamed chatflow, even the first (docs/protocols/dify.md 12.2). */
function countsTwice(serverText = ''): boolean {
	return /\bis 1\.?$/.test(serverText);
}

/**
 * Target of a redirect that was not followed, or that led to another address: the key is not sent there, so a 401 there
 * says nothing about it.
 */
function redirectedTo(
	connection: Connection,
	{ status, headers, url }: CallAnswer,
): string | undefined {
	if (status >= 300 && status < 400) return headers.location;
	return status === 401 && !connection.isOwn(url) ? url : undefined;
}

/** Causes whose text was written by this package, not by Dify. */
const OWN_WORDS: ReadonlySet<RunErrorCause> = new Set([
	'endedEarly',
	'notFinished',
	'textLost',
	'cancelled',
	'idle',
	'queued',
]);

const NOT_A_RUN =
	'Dify refused the request before a run began, so its logs show nothing. Correct the inputs of the node, or the form of the app.';

/** The error of a run that began, with its partial result. */
export function runError(
	connection: Connection,
	result: RunResult,
	{ url, headers }: Pick<EventStream, 'url' | 'headers'>,
	stopRequested?: boolean,
): ServerError {
	const context = connection.contextOf(url);
	const error: RunError = maskDeep(result.error, context.secrets) ?? {
		cause: 'notFinished',
		message: 'The run did not finish',
	};
	const { serverText, ...described } = describeRunError(error);
	const { kind } = described;
	const difyVersion = headers['x-version'];
	const node = kind === 'runFailed' ? failedNode(result) : undefined;
	return failure(kind, context, {
		...described,
		...(OWN_WORDS.has(error.cause) ? { meaning: serverText } : { serverText }),
		...(kind === 'runFailed' && whereItFailed(node, error)),
		...receivedIn(result),
		facts: {
			difyVersion,
			...idsOf(result),
			...(node && { failedNode: node.title ?? node.nodeId, failedNodeType: node.type }),
			...optional({ stopRequested }),
		},
		about: { startsRun: true },
	});
}

/**
 * The node that ended the run. Other failures may have been handled before, such as in an iteration that continues
 * after errors (docs/protocols/dify.md 12.1).
 */
function failedNode({ workflow, error }: RunResult): WorkflowNode | undefined {
	const failed = workflow?.nodes.filter((node) => node.status === 'failed') ?? [];
	const message = error?.message ?? '';
	const named = failed.find((node) => node.error !== undefined && message.includes(node.error));
	return (
		named ??
		failed.find((node) => node.iterationId === undefined && node.loopId === undefined) ??
		failed[0]
	);
}

function whereItFailed(
	node: WorkflowNode | undefined,
	{ cause }: RunError,
): Partial<FailureDetails> {
	if (cause === 'refused') return { remedy: NOT_A_RUN };
	return node === undefined
		? {}
		: { meaning: `The run failed in Dify at the node ${nameOf(node)}` };
}

function nameOf({ title, nodeId, id, type }: WorkflowNode): string {
	return `"${title ?? nodeId ?? id}"${type === undefined ? '' : ` (${type})`}`;
}

/** An error that was found before anything was sent. */
export function localError(kind: DifyKind, message?: string, remedy?: string): ServerError {
	return difyFailure(kind, { ...optional({ message, remedy }), retryable: false });
}

/** A value that Dify would refuse or misunderstand. */
export function invalidParam(message: string, remedy?: string): ServerError {
	return localError('invalidParam', message, remedy);
}
