/** The type of an error by the code, the message and the status that Dify sends. */
import type { DifyErrorType } from '../errors/error-types';

/** Dify's error codes (docs/protocols/dify.md 1.3, 2, 3.7, 6.1). */
const ERROR_TYPE_BY_CODE = new Map<string | undefined, DifyErrorType>(
	Object.entries({
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
		provider_quota_exceeded: 'providerQuotaExceeded',
		model_currently_not_support: 'modelUnsupported',
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
		file_extension_blocked: 'fileRejected',
		no_audio_uploaded: 'fileRejected',
		request_entity_too_large: 'requestTooLarge',
		file_too_large: 'requestTooLarge',
		audio_too_large: 'requestTooLarge',
		unsupported_file_type: 'fileTypeNotAllowed',
		unsupported_audio_type: 'fileTypeNotAllowed',
		remote_file_upload_error: 'fileUnreachable',
		remote_file_invalid_url: 'fileUnreachable',
		remote_file_url_blocked: 'fileUnreachable',
		remote_file_not_found: 'fileUnreachable',
		remote_file_access_denied: 'fileUnreachable',
		remote_file_unavailable: 'fileUnreachable',
		remote_file_invalid_response: 'fileUnreachable',
		file_not_found: 'fileNotFound',
		file_access_denied: 'fileNotFound',
		dataset_name_duplicate: 'nameTaken',
		dataset_in_use: 'datasetRejected',
		dataset_not_initialized: 'documentNotIndexed',
		archived_document_immutable: 'documentArchived',
		document_indexing: 'documentBusy',
		dataset_indexing_in_progress: 'documentBusy',
		document_already_finished: 'datasetRejected',
		pipeline_run_error: 'runFailed',
	} as const),
);

/** The type of an error whose message matches. */
interface TextRule {
	pattern: RegExp;
	type: DifyErrorType;
}

/**
 * Message patterns for codes with many causes and errors without a code, such as those of newer workers
 * (docs/protocols/dify.md 3.7). New versions extend the texts, so patterns match a part (6.3).
 */
const ERROR_TYPE_BY_TEXT: readonly TextRule[] = [
	{
		pattern: /SSE stream reconnect attempts exhausted|agent backend/i,
		type: 'agentBackendUnreachable',
	},
	// Without a reason after "Error:", the daemon is down; seen on main of July 2026.
	{
		pattern:
			/plugin daemon (?:service )?failed|failed to request plugin daemon|\bPluginDaemon(?!BadRequest)\w*Error\b|plugin runtime not found|^(?:Run failed: ?)?\[[^\]\n]{1,80}\] Error:\s*$/i,
		type: 'pluginDaemonError',
	},
	// Tools and models are plugins with the same errors.
	{
		pattern: /\binvoke tool failed\b|^(?:Run failed: ?)?Failed to invoke tool\b/,
		type: 'runFailed',
	},
	{ pattern: /\bProvider \S+ does not exist/, type: 'providerNotInstalled' },
	{
		pattern: /\bModel \S.{0,200} (?:not exist|does(?: not|n't) exist)|schema does not exist/,
		type: 'providerModelNotFound',
	},
	{
		pattern:
			/^(?:Run failed: ?)?Reached maximum retries (?:\(\d+\) )?for URL|\bblocked by SSRF protection\b/,
		type: 'fileUnreachable',
	},
	{
		pattern:
			/Response ended prematurely|ConnectionPool\(host=|\bNewConnectionError\b|\bRemoteDisconnected\b|\b(?:ChunkedEncoding|ReadTimeout|ConnectTimeout|IncompleteRead|ProtocolError)/,
		type: 'providerUnreachable',
	},
	{
		pattern:
			/Default model not found for|credentials is not initialized|\] Incorrect model credentials provided/,
		type: 'providerKeyInvalid',
	},
	{ pattern: /\] Connection Error\b/, type: 'providerUnreachable' },
	{ pattern: /\bPluginInvokeError\b|"error_type":/, type: 'providerError' },
	// Descriptions of model errors, after the name of the provider.
	{
		pattern:
			/^(?:Run failed: ?)?\[(?!Errno\b)[^\]\n]{1,80}\] (?:(?:Server Unavailable|Rate Limit|Bad Request) )?Error\b/,
		type: 'providerError',
	},
	{ pattern: /^Arg user must be provided/, type: 'missingUser' },
	{ pattern: /^Too many requests/i, type: 'busy' },
	{ pattern: /^(?:Workflow|Agent) not published/i, type: 'notPublished' },
	{ pattern: /^(?:Last )?Conversation Not Exists/i, type: 'conversationNotFound' },
	{ pattern: /^(?:First )?Message Not Exists/i, type: 'messageNotFound' },
	{ pattern: /^Workflow run not found/i, type: 'runNotFound' },
	{
		pattern: /^Workflow not found with id|^Invalid workflow_id|^Cannot use draft/,
		type: 'workflowVersionNotFound',
	},
	{ pattern: /^The conversation has ended/, type: 'conversationEnded' },
	// A field of the form may be called "query": the narrower text comes first.
	{ pattern: /\bin input form\b|^Invalid input type for/, type: 'invalidInputs' },
	{ pattern: /^query is required/, type: 'emptyQuery' },
	{ pattern: /rating cannot be None when feedback not exists/, type: 'nothingToRevoke' },
	{
		pattern:
			/^Invalid upload file|^Number of (?:\w+ )?files exceeds|^File validation failed|^Detected file type|^No matching enum found|^Filename contains|not allowed for security reasons/,
		type: 'fileRejected',
	},
	{
		pattern:
			/Suggested Questions Is Disabled|\b(?:TTS|speech to text|text to speech) is not enabled|no voice/i,
		type: 'appFeatureDisabled',
	},
	{ pattern: /^Run failed/, type: 'runFailed' },
	{ pattern: /API service has been disabled/, type: 'appDisabled' },
	{
		pattern:
			/app no longer exists|status is abnormal|status is archived|^Tenant (?:does not|owner account)/,
		type: 'appInactive',
	},
	{ pattern: /^Dataset api access is not enabled/, type: 'datasetApiDisabled' },
	{ pattern: /knowledge base request rate limit/, type: 'datasetRateLimited' },
	{
		pattern: /limit of your subscription|upgrade (?:your|to a paid) plan|\bcapacity\b/i,
		type: 'planLimitReached',
	},
	{ pattern: /^(?:Dataset|Metadata) name already exists/, type: 'nameTaken' },
	{ pattern: /^Dataset (?:not found|does not exist)/, type: 'datasetNotFound' },
	{ pattern: /^Pipeline not found/, type: 'pipelineNotFound' },
	{
		pattern:
			/^(?:Document|Segment) is (?:not completed|indexing|deleting)|^Another \S[\w ]{0,40} operation is running/,
		type: 'documentBusy',
	},
	{
		pattern:
			/^(?:Document|Segment) is already (?:enabled|disabled|archived)|^Document is (?:not available|disabled)|^doc_form is different|^External datasets/,
		type: 'datasetRejected',
	},
	{ pattern: /^Form recipient type is invalid/, type: 'formRejected' },
	{ pattern: /^Form not found/, type: 'formNotFound' },
];

/** For codes with many causes, also of plugins and models whose errors Dify passes on, if the text shows no other type. */
const ERROR_TYPE_BY_AMBIGUOUS_CODE = new Map<string | undefined, DifyErrorType>(
	Object.entries({
		unauthorized: 'unauthorized',
		forbidden: 'forbidden',
		completion_request_error: 'providerError',
		provider_not_initialize: 'providerKeyInvalid',
		invalid_action: 'documentBusy',
	} as const),
);

/** Max characters for patterns: a megabyte of text would block n8n for minutes. */
export const MAX_PATTERN_INPUT = 8_000;

/** Body of every error response: `{ code, message, status }`. */
export interface DifyErrorBody {
	/** Newer workers send none in their events. */
	code?: string;
	message?: string;
	status?: number;
}

/**
 * Type of an error response or a failed run.
 *
 * @param status of the response. Default: it is a run
 */
export function toErrorType({ code, message = '' }: DifyErrorBody, status?: number): DifyErrorType {
	return (
		ERROR_TYPE_BY_CODE.get(code) ??
		findTypeByText(message.slice(0, MAX_PATTERN_INPUT)) ??
		ERROR_TYPE_BY_AMBIGUOUS_CODE.get(code) ??
		(status === undefined ? 'runFailed' : getTypeByStatus(status))
	);
}

function findTypeByText(text: string) {
	return ERROR_TYPE_BY_TEXT.find(({ pattern }) => pattern.test(text))?.type;
}

function getTypeByStatus(status: number) {
	if (status === 404) return 'notFound';
	if (status === 429) return 'busy';
	return status >= 500 ? 'serverError' : 'invalidParam';
}
