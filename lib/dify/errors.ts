/** Errors from Dify's error responses and failed runs, with a type by code, otherwise by text. */
import { parseRetryAfter } from '../errors/classify-error';
import { createServerError, type ErrorContext, type ErrorOverrides } from '../errors/create-error';
import type { DifyErrorType, ErrorType } from '../errors/error-types';
import { mask, maskedExcerpt } from '../errors/mask';
import { formatDuration } from '../errors/texts';
import { ServerError } from '../errors/server-error';
import type { ErrorResponse } from '../http/types';
import type { FileSource, UploadProgress } from '../http/multipart';
import { parseJson, parseObject } from '../json';
import { omitUndefined, asFiniteNumber, isRecord, asRecord, truncate, asString } from '../values';
import { explainFailedRequest, explainMessage, isPythonTrace } from './error-texts';
import type { RunError, RunResult, WorkflowNode } from './types';

/** Dify's error codes (docs/protocols/dify.md 1.3, 2, 3.7, 6.1). */
const ERROR_TYPE_BY_CODE: Readonly<Record<string, DifyErrorType>> = {
	unauthorized: 'unauthorized',
	forbidden: 'forbidden',
	app_not_found: 'appInactive',
	app_abnormal_status: 'appInactive',
	app_api_disabled: 'appDisabled',
	workspace_not_found: 'appInactive',
	workspace_archived: 'appInactive',
	not_chat_app: 'wrongAppType',
	not_completion_app: 'wrongAppType',
	not_workflow_app: 'wrongAppType',
	app_unavailable: 'appUnavailable',
	agent_not_published: 'notPublished',
	trigger_workflow_service_mode_unavailable: 'startsWithTrigger',
	agent_version_not_found_error: 'workflowVersionNotFound',
	agent_run_limit_exceeded: 'agentLimitReached',
	conversation_completed: 'conversationEnded',
	provider_not_initialize: 'providerKeyInvalid',
	provider_quota_exceeded: 'providerQuotaExceeded',
	model_currently_not_support: 'modelUnsupported',
	completion_request_error: 'providerError',
	plugin_runtime_error: 'pluginDaemonError',
	workflow_version_execution_not_allowed: 'planLimitReached',
	vector_space_estimate_exceeded: 'planLimitReached',
	rate_limit_error: 'quotaExceeded',
	human_input_form_submitted: 'formClosed',
	human_input_form_expired: 'formClosed',
	human_input_form_not_found: 'formNotFound',
	invalid_form_data: 'formRejected',
	app_suggested_questions_after_answer_disabled: 'appFeatureDisabled',
	speech_to_text_disabled: 'appFeatureDisabled',
	provider_not_support_speech_to_text: 'appFeatureDisabled',
	bad_request_key_error: 'fileRejected',
	no_file_uploaded: 'fileRejected',
	too_many_files: 'fileRejected',
	filename_not_exists_error: 'fileRejected',
	no_audio_uploaded: 'fileRejected',
	request_entity_too_large: 'requestTooLarge',
	file_too_large: 'requestTooLarge',
	audio_too_large: 'requestTooLarge',
	unsupported_file_type: 'fileTypeNotAllowed',
	unsupported_audio_type: 'fileTypeNotAllowed',
	file_not_found: 'fileNotFound',
	file_access_denied: 'fileNotFound',
	dataset_name_duplicate: 'nameTaken',
	dataset_in_use: 'datasetRejected',
	dataset_not_initialized: 'documentNotIndexed',
	archived_document_immutable: 'documentArchived',
	invalid_action: 'documentBusy',
	pipeline_run_error: 'runFailed',
};

/**
 * Message patterns for codes with many causes and errors without a code, such as those of newer workers
 * (docs/protocols/dify.md 3.7). New versions extend the texts, so patterns match a part (6.3).
 */
const ERROR_TYPE_BY_TEXT: ReadonlyArray<readonly [RegExp, DifyErrorType]> = [
	[/SSE stream reconnect attempts exhausted|agent backend/i, 'agentBackendUnreachable'],
	// Without a reason after "Error:", the daemon is down; seen on main of July 2026.
	[
		/plugin daemon (?:service )?failed|failed to request plugin daemon|\bPluginDaemon(?!BadRequest)\w*Error\b|plugin runtime not found|^(?:Run failed: ?)?\[[^\]\n]{1,80}\] Error:\s*$/i,
		'pluginDaemonError',
	],
	[/\bProvider \S+ does not exist/, 'providerNotInstalled'],
	[
		/\bModel \S.{0,200} (?:not exist|does(?: not|n't) exist)|schema does not exist/,
		'providerModelNotFound',
	],
	[/^Reached maximum retries \(\d+\) for URL/, 'fileUnreachable'],
	[
		/Response ended prematurely|ConnectionPool\(host=|\bNewConnectionError\b|\bRemoteDisconnected\b|\b(?:ChunkedEncoding|ReadTimeout|ConnectTimeout|IncompleteRead|ProtocolError)/,
		'providerUnreachable',
	],
	[/\bPluginInvokeError\b|"error_type":/, 'providerError'],
	[/Default model not found for|credentials is not initialized/, 'providerKeyInvalid'],
	[/^Arg user must be provided/, 'missingUser'],
	[/^Too many requests/i, 'busy'],
	[/^(?:Workflow|Agent) not published/i, 'notPublished'],
	[/^(?:Last )?Conversation Not Exists/i, 'conversationNotFound'],
	[/^(?:First )?Message Not Exists/i, 'messageNotFound'],
	[/^Workflow run not found/i, 'runNotFound'],
	[/^Workflow not found with id|^Invalid workflow_id|^Cannot use draft/, 'workflowVersionNotFound'],
	[/^The conversation has ended/, 'conversationEnded'],
	// A field of the form may be called "query": the narrower text comes first.
	[/\bin input form\b|^Invalid input type for/, 'invalidInputs'],
	[/^query is required/, 'emptyQuery'],
	[/rating cannot be None when feedback not exists/, 'nothingToRevoke'],
	[
		/^Invalid upload file|^Number of (?:\w+ )?files exceeds|^File validation failed|^Detected file type|^No matching enum found|^Filename contains|not allowed for security reasons/,
		'fileRejected',
	],
	[
		/Suggested Questions Is Disabled|Text is not enabled|TTS is not enabled|no voice/,
		'appFeatureDisabled',
	],
	[/^Run failed/, 'runFailed'],
	[/API service has been disabled/, 'appDisabled'],
	[/app no longer exists|status is abnormal|status is archived|^Tenant does not/, 'appInactive'],
	[/^Dataset api access is not enabled/, 'datasetApiDisabled'],
	[/knowledge base request rate limit/, 'datasetRateLimited'],
	[/limit of your subscription|upgrade (?:your|to a paid) plan|\bcapacity\b/i, 'planLimitReached'],
	[/^(?:Dataset|Metadata) name already exists/, 'nameTaken'],
	[/^Dataset not found/, 'datasetNotFound'],
	[/^Pipeline not found/, 'pipelineNotFound'],
	[/^(?:Document|Segment) is (?:not completed|indexing|deleting)/, 'documentBusy'],
	[
		/^Document is (?:not available|disabled)|^doc_form is different|^External datasets/,
		'datasetRejected',
	],
	[/^Form recipient type is invalid/, 'formRejected'],
	[/^Form not found/, 'formNotFound'],
];

/** Types whose message from Dify explains less than the title of the type; it is quoted after the suggestion. */
const OWN_TITLE_TYPES: ReadonlySet<DifyErrorType> = new Set([
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
	'providerUnreachable',
	'pluginDaemonError',
	'agentBackendUnreachable',
]);

/** Codes with many causes, also for errors of plugins and models that Dify passes on. */
const AMBIGUOUS_CODES: ReadonlySet<string | undefined> = new Set([
	undefined,
	'forbidden',
	'completion_request_error',
	'provider_not_initialize',
]);

/** Keys of Dify and of model providers, removed from server texts. */
const KEY_PATTERN = /\b(?:app|dataset|ds)-[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{8,}|\bBearer\s+\S+/g;

/** Max characters for patterns: a megabyte of text would block n8n for minutes. */
const MAX_PATTERN_INPUT = 8_000;
const MAX_TEXT_LENGTH = 1_000;
const MAX_TITLE_LENGTH = 160;
/** The JSON of a model's error may be long, and truncated JSON cannot be parsed. */
const MAX_JSON_LENGTH = 64 * 1024;
const MAX_DEPTH = 5;

/** Body of every error response: `{ code, message, status }`. */
interface DifyErrorBody {
	/** Newer workers send none in their events. */
	code?: string;
	message?: string;
	status?: number;
}

/** The error body; undefined if it is not one. */
export function parseErrorBody(json: unknown): DifyErrorBody | undefined {
	if (!isRecord(json)) return undefined;
	const [code, message] = [asString(json.code), asString(json.message)];
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
	if (errorBody === undefined && status === 500)
		return createServerError('serverError', context, { status });
	if (errorBody === undefined) return undefined;
	const errorStatus = status >= 400 ? status : (errorBody.status ?? status);
	const isRunStart = STARTS_RUN.test(new URL(url).pathname);
	return fromDifyMessage(toErrorType(errorBody, errorStatus), errorBody, context, {
		status: errorStatus,
		facts: {
			difyVersion: headers['x-version'],
			retryAfterMs: parseRetryAfter(headers['retry-after']),
		},
		about: { status: errorStatus, isRunStart },
	});
}

/** Type of an error response or a failed run; without a status it is a run. */
export function toErrorType({ code, message = '' }: DifyErrorBody, status?: number): DifyErrorType {
	const typeByCode = code === undefined ? undefined : ERROR_TYPE_BY_CODE[code];
	if (typeByCode !== undefined && !AMBIGUOUS_CODES.has(code)) return typeByCode;
	const start = message.slice(0, MAX_PATTERN_INPUT);
	const typeByText = ERROR_TYPE_BY_TEXT.find(([pattern]) => pattern.test(start))?.[1];
	return typeByText ?? typeByCode ?? (status === undefined ? 'runFailed' : getTypeByStatus(status));
}

function getTypeByStatus(status: number): DifyErrorType {
	if (status === 404) return 'notFound';
	if (status === 429) return 'busy';
	return status >= 500 ? 'serverError' : 'invalidParam';
}

/** An error whose title is Dify's message, or the title of its type if that explains more. */
function fromDifyMessage(
	type: DifyErrorType,
	{ code, message = '' }: DifyErrorBody,
	context: Partial<ErrorContext>,
	{ about, ...overrides }: ErrorOverrides,
): ServerError {
	const serverText = toReadableText(message, context.secrets);
	const title = truncate(serverText.replace(/\s+/g, ' ').replace(/\.$/, ''), MAX_TITLE_LENGTH);
	const isEmpty = title === '';
	// The last line of a trace of a code node explains its run; that of a plugin explains nothing.
	const isTrace = type.startsWith('provider') && isPythonTrace(title);
	const hasOwnTitle = isEmpty || isTrace || OWN_TITLE_TYPES.has(type);
	const explanation = explainMessage(type, code, serverText);
	return createServerError(type, context, {
		...overrides,
		about: { ...about, isEmpty },
		code: code?.replace(KEY_PATTERN, '[key]'),
		serverText: isEmpty ? undefined : serverText,
		...(!hasOwnTitle && { title }),
		...explanation,
		...((!hasOwnTitle || isTrace) && { detail: serverText }),
		...omitUndefined({ detail: overrides.detail ?? explanation.detail }),
	});
}

/** The message without keys and unreadable parts. */
function toReadableText(message: string, secrets?: readonly string[]): string {
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
function summarizeValidationErrors(message: string): string {
	if (!/^\d+ validation errors? for /.test(message)) return message;
	const issues = message.matchAll(/^(\S.{0,300})\n {2}(\S.{0,300}?)(?: \[type=.*)?$/gm);
	return [...issues]
		.slice(0, 3)
		.map(([, field, issue]) => `${field}: ${issue}`)
		.join('; ');
}

/** IDs to find a run in Dify. */
function getRunIds({ conversationId, messageId, taskId, workflowRunId }: RunResult): object {
	return { conversationId, messageId, taskId, workflowRunId };
}

function toPartialDetails(result: RunResult): ErrorOverrides {
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

/** A Dify error. Texts default to those of its type. */
export function createDifyError(
	type: ErrorType,
	{ url, result, facts, ...overrides }: ErrorOverrides & { url?: string; result?: RunResult } = {},
): ServerError {
	const received = result === undefined ? {} : toPartialDetails(result);
	const ids = result === undefined ? {} : getRunIds(result);
	return createServerError(
		type,
		{ service: 'dify', url },
		{ ...overrides, ...received, facts: { ...facts, ...ids } },
	);
}

/** An error detected before sending. */
export function createLocalError(
	type: DifyErrorType,
	title?: string,
	suggestion?: string,
): ServerError {
	return createDifyError(type, { title, suggestion, retryable: false });
}

/** Error for a value that Dify would reject or misread. */
export function createParamError(message: string, suggestion?: string): ServerError {
	return createLocalError('invalidParam', message, suggestion);
}

const NOT_A_RUN =
	'Dify rejected the request before a run started, so its logs show nothing. Correct the inputs in the node, or the form of the app.';

/** The error of a failed run, with its partial result. */
export function createRunError(
	result: RunResult & { error: RunError },
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
	if (failedRequest !== undefined)
		return serverError.copyWith({ detail: serverError.detail, ...failedRequest });
	return error.cause === 'rejected' && type === 'runFailed'
		? serverError.withSuggestion(NOT_A_RUN)
		: serverError;
}

/**
 * The node that ended the run. Earlier failures may have been handled, such as in an iteration that continues after
 * errors (docs/protocols/dify.md 12.1).
 */
function findFailedNode({ workflow, error }: RunResult): WorkflowNode | undefined {
	const failedNodes = workflow?.nodes.filter(({ status }) => status === 'failed') ?? [];
	const message = error?.message ?? '';
	const quotedNode = failedNodes.find(
		(node) => node.error !== undefined && message.includes(node.error),
	);
	const isOutside = (node: WorkflowNode) => (node.iterationId ?? node.loopId) === undefined;
	return quotedNode ?? failedNodes.find(isOutside) ?? failedNodes[0];
}

function describeNode({ title, nodeId, id, type }: WorkflowNode): string {
	return `"${title ?? nodeId ?? id}"${type === undefined ? '' : ` (${type})`}`;
}

/** Proxies accept files of this size. */
const SMALL_BYTES = 64 * 1024;

/** Explains a failed upload: a proxy often just closes the connection if a file is too large. */
export function explainUploadError(
	error: unknown,
	{ name, size }: FileSource,
	{ bytes, unreadable, idleMs }: UploadProgress & { idleMs: number },
): unknown {
	if (unreadable !== undefined)
		return createLocalError(
			'fileRejected',
			`"${name}" could not be read: ${unreadable.reason}`,
			'Check the binary data of the item and the binary data storage of n8n.',
		);
	if (!(error instanceof ServerError)) return error;
	if (error.type === 'firstTokenTimeout')
		return createDifyError('runTimeout', {
			url: error.url,
			title: `Dify did not process "${name}" within ${formatDuration(idleMs)}`,
			suggestion: 'Check the log of the Dify API, its storage, and the proxy in front of it.',
		});
	if (error.type !== 'closedBeforeResponse') return error;
	if (bytes === 0 || size <= SMALL_BYTES) return error;
	return createDifyError('requestTooLarge', {
		url: error.url,
		title: `The connection was closed while "${name}" was being uploaded (${bytes} of ${size} bytes)`,
		suggestion:
			'The usual cause is a file that is too large for a proxy in front of Dify: raise its limit (nginx: client_max_body_size), or send a smaller file.',
	});
}
