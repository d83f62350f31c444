import type { DifyKind } from '../../errors/kinds';

/**
 * Dify's own codes (docs/protocols/dify.md 1.3, 2, 3.7, 6.1). Codes that cover many causes are split by text, below.
 */
export const DIFY_CODES: Readonly<Record<string, DifyKind>> = {
	unauthorized: 'unauthorized',
	forbidden: 'forbidden',
	app_not_found: 'appUnusable',
	app_abnormal_status: 'appUnusable',
	app_api_disabled: 'appDisabled',
	workspace_not_found: 'appUnusable',
	workspace_archived: 'appUnusable',
	not_chat_app: 'wrongAppType',
	not_completion_app: 'wrongAppType',
	not_workflow_app: 'wrongAppType',
	app_unavailable: 'appUnavailable',
	agent_not_published: 'notPublished',
	conversation_completed: 'conversationEnded',
	provider_not_initialize: 'providerCredentials',
	provider_quota_exceeded: 'providerQuota',
	model_currently_not_support: 'modelUnsupported',
	completion_request_error: 'modelProvider',
	workflow_version_execution_not_allowed: 'planLimit',
	rate_limit_error: 'quota',
	too_many_requests: 'tooManyRequests',
	invalid_param: 'invalidParam',
	bad_request: 'requestFormat',
	bad_request_key_error: 'fileRejected',
	not_found: 'notFound',
	method_not_allowed: 'routeNotFound',
	unsupported_media_type: 'requestFormat',
	request_entity_too_large: 'fileTooLarge',
	internal_server_error: 'serverError',
	unknown: 'serverError',
	human_input_form_submitted: 'formClosed',
	human_input_form_expired: 'formClosed',
	invalid_form_data: 'formRejected',
	app_suggested_questions_after_answer_disabled: 'featureOff',
	speech_to_text_disabled: 'featureOff',
	provider_not_support_speech_to_text: 'featureOff',
	no_file_uploaded: 'fileRejected',
	too_many_files: 'fileRejected',
	filename_not_exists_error: 'fileRejected',
	no_audio_uploaded: 'fileRejected',
	file_too_large: 'fileTooLarge',
	audio_too_large: 'fileTooLarge',
	unsupported_file_type: 'fileType',
	unsupported_audio_type: 'fileType',
	file_not_found: 'fileNotFound',
	file_access_denied: 'fileNotFound',
	end_user_not_found: 'notFound',
	dataset_name_duplicate: 'nameTaken',
	dataset_in_use: 'dataset',
	dataset_not_initialized: 'dataset',
	archived_document_immutable: 'dataset',
	invalid_action: 'documentBusy',
	invalid_metadata: 'invalidParam',
	pipeline_run_error: 'runFailed',
};

/**
 * Texts that say more than the code, for codes with many causes and for errors without a code, as those of newer
 * workers (docs/protocols/dify.md 3.7). They match the beginning or a part, since versions add to them
 * (docs/protocols/dify.md 6.3).
 */
export const DIFY_TEXTS: ReadonlyArray<readonly [RegExp, DifyKind]> = [
	[/^Arg user must be provided/, 'missingUser'],
	[/^Too many requests/i, 'tooManyRequests'],
	[/does not support blocking mode|only supports streaming response mode/, 'streamingRequired'],
	[/^(?:Workflow|Agent) not published/i, 'notPublished'],
	[/^(?:Last )?Conversation Not Exists/i, 'conversationNotFound'],
	[/^(?:First )?Message Not Exists/i, 'messageNotFound'],
	[/^Workflow run not found/i, 'runNotFound'],
	[
		/^Workflow not found with id|^Invalid workflow_id format|^Cannot use draft workflow/,
		'workflowVersion',
	],
	[/^The conversation has ended/, 'conversationEnded'],
	// A field of the form may be called "query": the narrower text comes first.
	[/\bin input form\b|^Invalid input type for/, 'inputs'],
	[/^query is required/, 'emptyQuery'],
	[/rating cannot be None when feedback not exists/, 'nothingToRevoke'],
	[
		/^Invalid upload file|^Number of (?:\w+ )?files exceeds|^File validation failed|^Detected file type/,
		'fileRejected',
	],
	[/^No matching enum found|^Filename contains|not allowed for security reasons/, 'fileRejected'],
	[
		/Suggested Questions Is Disabled|Speech to text is not enabled|TTS is not enabled|no voice available/,
		'featureOff',
	],
	[/^Run failed/, 'runFailed'],
	[/API service has been disabled/, 'appDisabled'],
	[
		/^The app no longer exists|app's status is abnormal|workspace's status is archived|^Tenant does not exist/,
		'appUnusable',
	],
	[/^Dataset api access is not enabled/, 'knowledgeApiOff'],
	[/knowledge base request rate limit/, 'knowledgeRate'],
	[/limit of your subscription|upgrade (?:your|to a paid) plan/, 'planLimit'],
	[/^(?:Dataset|Metadata) name already exists/, 'nameTaken'],
	[/^(?:Document|Segment) is (?:not completed|indexing|deleting)/, 'documentBusy'],
	[
		/^Document is (?:not available|disabled)|^doc_form is different|^External datasets are not/,
		'dataset',
	],
	[/^Default model not found for|credentials is not initialized/, 'providerCredentials'],
	[/valid UUID/i, 'invalidId'],
	[/^Type mismatch: variable/, 'invalidParam'],
	[/^Form recipient type is invalid/, 'formRejected'],
	[/validation errors? for /, 'invalidParam'],
];

/** Codes that Dify uses for many different causes. */
export const VAGUE_CODES: ReadonlySet<string> = new Set([
	'invalid_param',
	'bad_request',
	'forbidden',
	'not_found',
]);
