/** Errors from Dify's error responses and failed runs, with a type by code, otherwise by text. */
import { parseRetryAfter } from '../errors/retry-after';
import { mask, maskedExcerpt } from '../errors/mask';
import { formatDuration } from '../values/duration';
import type { ErrorContext, ErrorOverrides } from '../errors/create-error';
import type { DifyErrorType, ErrorType } from '../errors/error-types';
import { ServerError } from '../errors/server-error';
import { createServerError } from '../errors/create-error';
import { isOneOf } from '../errors/error-types';
import type { ErrorResponse } from '../http/types';
import type { FileSource, UploadProgress } from '../http/multipart';
import { isRecord, asRecord, asString } from '../values/records';
import { parseJson, parseObject } from '../values/json';
import { asFiniteNumber } from '../values/numbers';
import { truncate } from '../values/text';
import { explainFailedRequest, explainMessage, isPythonTrace } from './error-texts';
import type { RunError, RunResult, WorkflowNode } from './types';
import type { DifyErrorBody } from './error-types';
import { MAX_PATTERN_INPUT, toErrorType } from './error-types';

/** Types whose message from Dify explains less than the title of the type; it is quoted after the suggestion. */
const hasBetterTitle = isOneOf(
	'unauthorized',
	'appUnavailable',
	'notPublished',
	'conversationNotFound',
	'messageNotFound',
	'runNotFound',
	'datasetNotFound',
	'pipelineNotFound',
	'formClosed',
	'formNotFound',
	'nameTaken',
	'nothingToRevoke',
	'providerUnreachable',
	'pluginDaemonError',
	'agentBackendUnreachable',
);

/** Keys of Dify and of model providers, removed from server texts. */
const KEY_PATTERN = /\b(?:app|dataset|ds)-[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{8,}|\bBearer\s+\S+/g;
const MAX_TEXT_LENGTH = 1_000;
const MAX_TITLE_LENGTH = 160;
/** The JSON of a model's error may be long, and truncated JSON cannot be parsed. */
const MAX_JSON_LENGTH = 64 * 1024;
const MAX_DEPTH = 5;

/** The error body; undefined if it is not one. */
export function parseErrorBody(json: unknown): DifyErrorBody | undefined {
	if (!isRecord(json)) return undefined;
	const code = asString(json.code);
	const message = asString(json.message);
	if (code === undefined || message === undefined) return undefined;
	return { code, message, status: asFiniteNumber(json.status) };
}

const STARTS_RUN = /\/(?:chat-messages|completion-messages|workflows\/(?:[^/]+\/)?run)$/;

/** The error of an error response, even with status 200; undefined if the body is not Dify's. */
export function toDifyResponseError(
	{ status, url, headers, text: body }: ErrorResponse,
	context: ErrorContext,
): ServerError | undefined {
	const errorBody = parseErrorBody(parseJson(body));
	// Dify's web server returns a page if the API crashed.
	if (errorBody === undefined && status === 500) {
		return createServerError('serverError', context, { status });
	}
	if (errorBody === undefined) return undefined;
	const errorStatus = status >= 400 ? status : (errorBody.status ?? status);
	return fromDifyMessage(toErrorType(errorBody, errorStatus), errorBody, context, {
		status: errorStatus,
		facts: {
			difyVersion: headers['x-version'],
			retryAfterMs: parseRetryAfter(headers['retry-after']),
		},
		about: {
			status: errorStatus,
			isRunStart: STARTS_RUN.test(new URL(url).pathname),
			isKnowledge: /\/datasets\//.test(new URL(url).pathname),
		},
	});
}

/** An error whose title is Dify's message, or the title of its type if that explains more. */
function fromDifyMessage(
	type: DifyErrorType,
	{ code, message = '' }: DifyErrorBody,
	context: Partial<ErrorContext>,
	{ about, ...overrides }: ErrorOverrides,
) {
	const serverText = toReadableText(message, context.secrets);
	const title = truncate(serverText.replace(/\s+/g, ' ').replace(/\.$/, ''), MAX_TITLE_LENGTH);
	const isEmpty = title === '';
	// The last line of a trace of a code node explains its run; that of a plugin explains nothing.
	const isTrace = type.startsWith('provider') && isPythonTrace(title);
	const hasOwnTitle = isEmpty || isTrace || hasBetterTitle(type);
	const explanation = explainMessage(type, code, serverText);
	return createServerError(type, context, {
		...overrides,
		about: { ...about, isEmpty },
		code: code?.replace(KEY_PATTERN, '[key]'),
		serverText: isEmpty ? undefined : serverText,
		title: hasOwnTitle ? undefined : title,
		...explanation,
		detail:
			overrides.detail ?? explanation.detail ?? (hasOwnTitle && !isTrace ? undefined : serverText),
	});
}

/** The message without keys and unreadable parts, at most 1,000 characters. */
export function toReadableText(message: string, secrets?: readonly string[]): string {
	const unwrapped = unwrapMessage(mask(message.slice(0, MAX_JSON_LENGTH), secrets));
	const start = maskedExcerpt(unwrapped, MAX_PATTERN_INPUT, secrets)
		// The framework suggests other routes after a 404 text, which is about IDs, not routes (docs/protocols/dify.md 6.3).
		.replace(/\s{0,9}You have requested this URI \[[\s\S]*$/, '')
		// For a value that the database cannot parse, the response contains the full SQL statement (docs/protocols/dify.md 2.13).
		.replace(/\n(?:LINE \d+:|\[SQL:)[\s\S]*$/, '')
		.replace(KEY_PATTERN, '[key]');
	return truncate(summarizeValidationErrors(start).trim(), MAX_TEXT_LENGTH);
}

/** Around the error of a plugin: "Run failed: req_id: 7290e79a93 PluginInvokeError: {…}" (docs/protocols/dify.md 12.1). */
const WRAPPERS =
	/^(?:Run failed:\s*)?(?:req_id: ?\w{0,40} {1,3})?(?:plugin daemon: ?)?Plugin\w{0,40}Error: ?/;

/** The innermost of nested messages: plugin, exception, JSON of the model. */
function unwrapMessage(raw: string, depth = 0): string {
	const bare = raw.replace(WRAPPERS, '');
	const start = bare.indexOf('{');
	const json =
		depth < MAX_DEPTH ? parseObject(bare.slice(start, bare.lastIndexOf('}') + 1)) : undefined;
	if (json === undefined) return bare;
	const { message, args, error, detail } = json;
	const texts = [message, asRecord(args).description, asRecord(error).message, error, detail];
	const inner = texts.map(asString).find(Boolean);
	return inner === undefined ? bare : bare.slice(0, start) + unwrapMessage(inner, depth + 1);
}

/** Pydantic's texts have many lines and repeat the input, which may be private (docs/protocols/dify.md 6.2). */
function summarizeValidationErrors(message: string) {
	if (!/^\d+ validation errors? for /.test(message)) return message;
	return [...message.matchAll(/^(\S.{0,300})\n {2}(\S.{0,300}?)(?: \[type=.*)?$/gm)]
		.slice(0, 3)
		.map(([, field, issue]) => `${field}: ${issue}`)
		.join('; ');
}

/** IDs to find a run in Dify. */
function getRunIds({ conversationId, messageId, taskId, workflowRunId }: RunResult) {
	return { conversationId, messageId, taskId, workflowRunId };
}

function toPartialDetails(result: RunResult) {
	return {
		result,
		partialText: result.text || undefined,
		partialReasoning: result.reasoning || undefined,
		// The same request would start a second run.
		...(hasRunStarted(result) && { retryable: false }),
	};
}

/** The partial result of a failed run. */
export function getPartialResult(error: unknown): RunResult | undefined {
	return error instanceof ServerError ? (error.result as RunResult | undefined) : undefined;
}

/** Whether Dify started the run: otherwise its worker sends no IDs. A message with an ID is stored. */
export function hasRunStarted(result: RunResult | undefined): boolean {
	if (result === undefined) return false;
	return result.text !== '' || Object.values(getRunIds(result)).some((id) => id !== undefined);
}

export interface DifyErrorOverrides extends ErrorOverrides {
	/** Of the failed request. */
	url?: string;
	/** What was received of a failed run. */
	result?: RunResult;
}

/** A Dify error. Texts default to those of its type. */
export function createDifyError(
	type: ErrorType,
	{ url, result, facts, ...overrides }: DifyErrorOverrides = {},
): ServerError {
	return createServerError(
		type,
		{ service: 'dify', url },
		{
			...overrides,
			...(result && toPartialDetails(result)),
			facts: { ...facts, ...(result && getRunIds(result)) },
		},
	);
}

/** Texts of an error. Default: those of its type. */
type ErrorTexts = Pick<ErrorOverrides, 'title' | 'suggestion'>;

/** An error detected before sending. */
export function createLocalError(type: DifyErrorType, texts: ErrorTexts = {}): ServerError {
	return createDifyError(type, { ...texts, retryable: false });
}

/** Error for a value that Dify would reject or misread. */
export function createParamError(texts: ErrorTexts): ServerError {
	return createLocalError('invalidParam', texts);
}

const NOT_A_RUN =
	'Dify rejected the request before a run started, so its logs show nothing. Correct the inputs in the node, or the form of the app.';

interface FailedRunResult extends RunResult {
	error: RunError;
}

/**
 * The error of a failed run, with its partial result.
 *
 * @param difyVersion as in the headers of the response
 */
export function createRunError(
	result: FailedRunResult,
	context: ErrorContext,
	difyVersion?: string,
): ServerError {
	const { error } = result;
	const node = error.cause === 'rejected' ? undefined : findFailedNode(result);
	const message = toReadableText(error.message, context.secrets).replace(/\.$/, '');
	const failedRequest = node && explainFailedRequest(node, message);
	const type = failedRequest === undefined ? toErrorType(error, error.status) : 'runFailed';
	const serverError = fromDifyMessage(type, error, context, {
		status: error.status ?? 200,
		...toPartialDetails(result),
		...(node && { detail: `${message}. The node ${describeNode(node)} failed in Dify` }),
		facts: {
			difyVersion,
			...getRunIds(result),
			...(node && { failedNode: node.title ?? node.nodeId, failedNodeType: node.type }),
		},
		about: { isRunStart: true },
	});
	if (failedRequest !== undefined) {
		return serverError.copyWith({ detail: serverError.detail, ...failedRequest });
	}
	return error.cause === 'rejected' && type === 'runFailed'
		? serverError.withSuggestion(NOT_A_RUN)
		: serverError;
}

/**
 * The node that ended the run. Earlier failures may have been handled, such as in an iteration that continues after
 * errors (docs/protocols/dify.md 12.1).
 */
function findFailedNode({ workflow, error }: RunResult) {
	const failedNodes = workflow?.nodes.filter(({ status }) => status === 'failed') ?? [];
	const message = error?.message ?? '';
	const quotedNode = failedNodes.find(
		(node) => node.error !== undefined && message.includes(node.error),
	);
	const isOutside = (node: WorkflowNode) => (node.iterationId ?? node.loopId) === undefined;
	return quotedNode ?? failedNodes.find(isOutside) ?? failedNodes[0];
}

function describeNode({ title, nodeId, id, type }: WorkflowNode) {
	return `"${title ?? nodeId ?? id}"${type === undefined ? '' : ` (${type})`}`;
}

/** Proxies accept files of this size. */
const SMALL_BYTES = 64 * 1024;

/** How far an upload came. */
interface UploadState extends UploadProgress {
	/** Longest pause in sending, and longest wait for Dify to store the file. */
	idleMs: number;
}

/**
 * Explains a failed upload: a proxy often just closes the connection if a file is too large.
 *
 * @returns the error to throw; one that says enough, unchanged
 */
export function explainUploadError(
	error: unknown,
	{ name, size }: FileSource,
	{ bytes, unreadable, idleMs }: UploadState,
): unknown {
	if (unreadable !== undefined) {
		return createLocalError('fileRejected', {
			title: `"${name}" could not be read: ${unreadable.reason}`,
			suggestion: 'Check the binary data of the item and the binary data storage of n8n.',
		});
	}
	if (!(error instanceof ServerError)) return error;
	if (error.type === 'firstTokenTimeout') {
		return createDifyError('runTimeout', {
			url: error.url,
			title: `Dify did not process "${name}" within ${formatDuration(idleMs)}`,
			suggestion: 'Check the log of the Dify API, its storage, and the proxy in front of it.',
		});
	}
	if (error.type !== 'closedBeforeResponse') return error;
	if (bytes === 0 || size <= SMALL_BYTES) return error;
	return createDifyError('requestTooLarge', {
		url: error.url,
		title: `The connection was closed while "${name}" was being uploaded (${bytes} of ${size} bytes)`,
		suggestion:
			'The usual cause is a file that is too large for a proxy in front of Dify: raise its limit (nginx: client_max_body_size), or send a smaller file.',
	});
}
