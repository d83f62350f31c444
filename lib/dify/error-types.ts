/** The type of an error by the code that Dify sends, the words of model providers, and the status with the route. */
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

/** What the errors of a model provider or its plugin have in common. */
interface ProviderWords {
	words: RegExp;
	type: DifyErrorType;
	/** Recordings in `test/fixtures`, which `test/lib/dify/error-types.test.ts` plays. */
	seen: readonly string[];
}

/**
 * Dify reports a provider that fails with the codes of a wrong value, or without a code (docs/protocols/dify.md 3.7). The
 * words choose the type, and with it the advice: never the title, and nothing that is sent.
 */
export const PROVIDER_WORDS: readonly ProviderWords[] = [
	{
		// Without a reason after "Error:", the daemon is down.
		type: 'pluginDaemonError',
		words:
			/plugin daemon|\bPluginDaemon(?!BadRequest)\w*Error\b|^(?:Run failed: ?)?\[[^\]\n]{1,80}\] Error:\s*$/i,
		seen: ['dify-main-2026-07/retrieve-no-daemon.http'],
	},
	{
		type: 'providerNotInstalled',
		words: /\bProvider \S+ does not exist/,
		seen: ['dify-1.14.2/ds-create-hqbadprov.http'],
	},
	{
		type: 'providerModelNotFound',
		words: /\bModel \S.{0,200} (?:not exist|does(?: not|n't) exist)|schema does not exist/,
		seen: ['dify-1.14.2/wf-no-model-blocking.http'],
	},
	{
		type: 'providerUnreachable',
		words:
			/Response ended prematurely|ConnectionPool\(host=|\] Connection Error\b|\b(?:NewConnection|ChunkedEncoding|ReadTimeout|ConnectTimeout|Protocol)Error\b/,
		seen: ['dify-1.14.2/cm-model-dies.http', 'dify-main-2026-07/retrieve-no-model-server.http'],
	},
	{
		type: 'providerKeyInvalid',
		words: /\bcredentials is not initialized|\] Incorrect model credentials provided/,
		seen: ['dify-1.16.0/ds-create-hqbadmodel.http'],
	},
	{
		type: 'providerError',
		words:
			/\bPluginInvokeError\b|"error_type":|^(?:Run failed: ?)?\[(?!Errno\b)[^\]\n]{1,80}\] (?:[A-Z]\w* ){0,2}Error\b/,
		seen: ['dify-1.14.2/n8n-model-500-agent.http', 'dify-1.16.0/cm-model-429.http'],
	},
];

/** For codes with many causes, also of plugins and models whose errors Dify passes on. */
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
	/** The field of the request that the message is about. */
	param?: string;
}

/** Where an error was reported. */
interface ErrorPlace {
	/** Of the response. Default: it is a run. */
	status?: number;
	/** The requested URL. */
	url?: string;
}

/** Type of an error response or a failed run: by its code, then by the words of providers, then by its status and route. */
export function toErrorType(
	{ code, message = '' }: DifyErrorBody,
	{ status, url }: ErrorPlace = {},
): DifyErrorType {
	return (
		ERROR_TYPE_BY_CODE.get(code) ??
		findTypeOfProvider(message.slice(0, MAX_PATTERN_INPUT)) ??
		ERROR_TYPE_BY_AMBIGUOUS_CODE.get(code) ??
		(status === undefined ? 'runFailed' : getTypeByStatus(status, url))
	);
}

function findTypeOfProvider(text: string) {
	return PROVIDER_WORDS.find(({ words }) => words.test(text))?.type;
}

/** What a route is about: what its 404 has not found. */
interface MissingObject {
	route: RegExp;
	type: DifyErrorType;
}

/** The first row whose route matches counts; other routes are about several objects (docs/protocols/dify.md 1.3). */
const MISSING_OBJECTS: readonly MissingObject[] = [
	{ route: /\/conversations\/[^/]+\/variables\/[^/]+$/, type: 'notFound' },
	{ route: /\/(?:conversations(?:\/.*)?|messages)$/, type: 'conversationNotFound' },
	{ route: /\/messages\/[^/]+\/\w+$/, type: 'messageNotFound' },
	{ route: /\/workflows\/run\/[^/]+$|\/workflow\/[^/]+\/events$/, type: 'runNotFound' },
	{ route: /\/workflows\/[^/]+\/run$/, type: 'workflowVersionNotFound' },
	{ route: /\/form\/human_input\/[^/]+$/, type: 'formNotFound' },
	{ route: /\/datasets\/[^/]+(?:\/[a-z-]+)?$/, type: 'datasetNotFound' },
];

function getTypeByStatus(status: number, url: string | undefined): DifyErrorType {
	if (status === 404) {
		const path = url === undefined ? '' : new URL(url).pathname;
		return MISSING_OBJECTS.find(({ route }) => route.test(path))?.type ?? 'notFound';
	}
	if (status === 429) return 'busy';
	return status >= 500 ? 'serverError' : 'invalidParam';
}
