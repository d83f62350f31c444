/** What went wrong, as far as a user can act on it. */
export type DifyFailureKind =
	| 'unauthorized'
	| 'forbidden'
	| 'appDisabled'
	| 'appUnusable'
	| 'appUnavailable'
	| 'notPublished'
	| 'wrongAppType'
	| 'streamingRequired'
	| 'conversationEnded'
	| 'conversationNotFound'
	| 'messageNotFound'
	| 'workflowVersion'
	| 'runNotFound'
	| 'fileNotFound'
	| 'notFound'
	| 'missingUser'
	| 'emptyQuery'
	| 'inputs'
	| 'invalidId'
	| 'invalidParam'
	| 'nothingToRevoke'
	| 'providerCredentials'
	| 'providerQuota'
	| 'modelUnsupported'
	| 'modelProvider'
	| 'tooManyRequests'
	| 'rateLimited'
	| 'quota'
	| 'planLimit'
	| 'runFailed'
	| 'streamEndedEarly'
	| 'cancelled'
	| 'timeout'
	| 'queued'
	| 'fileTooLarge'
	| 'fileType'
	| 'fileRejected'
	| 'featureOff'
	| 'formClosed'
	| 'formRejected'
	| 'dataset'
	| 'requestFormat'
	| 'routeNotFound'
	| 'webFrontend'
	| 'redirect'
	| 'serverError'
	| 'gateway'
	| 'emptyAnswer'
	| 'unknown';

/** What to do about it: one sentence or two that a user of n8n can follow, free of protocol words where it can be. */
export const DIFY_REMEDIES: Readonly<Record<DifyFailureKind, string>> = {
	unauthorized:
		'Check the API key in the "Dify API" credential: copy it again from the app in Dify under API Access. An app key works for its own app only; a knowledge key ("dataset-…") does not work for apps, nor the other way round.',
	forbidden:
		'The key is known, but Dify refuses this action. Read the message above, and check the app and the plan in Dify.',
	appDisabled: 'Switch on "Backend service API" for this app in Dify (app overview), then try again.',
	appUnusable:
		'The app or its workspace was deleted, archived or blocked in Dify. Use the key of an app that is active.',
	appUnavailable:
		'Open the app in Dify, choose a model and publish it. If the app is fine, its type is another one: messages go to chatbots, agents and chatflows only.',
	notPublished: 'Publish the app in Dify: the API runs the published version, never the draft.',
	wrongAppType:
		'The app behind this key is of another type, such as a text generator or a workflow. Use the key of a chatbot, agent or chatflow.',
	streamingRequired: 'Agent apps answer only as a stream: switch streaming on (response mode "streaming").',
	conversationEnded: 'This conversation is closed in Dify. Start a new one: leave the conversation ID empty.',
	conversationNotFound:
		'The conversation was deleted, or belongs to another user, another app or the web app of Dify. Use the same user as in its first message, or leave the conversation ID empty to start a new one.',
	messageNotFound:
		'The message was deleted, or belongs to another user or app, or was not made over the API. Use the message ID and the user of the answer itself.',
	workflowVersion:
		'The workflow ID must be the ID of a published version of this app (not the app ID, not a run ID). Leave it empty for the latest published version.',
	runNotFound: 'Check the workflow run ID (not the task ID), and use the user who started the run.',
	fileNotFound: 'A file can be fetched only after it was used in a message of this app. Check the file ID and the key.',
	notFound: 'Check the ID: it may be deleted, or belong to another app, user or knowledge base.',
	missingUser: 'Give the user: Dify keeps conversations, messages and files apart by it, and demands it for every run.',
	emptyQuery: 'Give a query that is not empty.',
	inputs:
		'Check the inputs against the form of the app in Dify. Required inputs must be sent on every turn, also in an existing conversation.',
	invalidId: 'Give the ID as Dify shows it, a UUID such as 1c7e55fb-1ba2-4e10-81b5-30addcea2276.',
	invalidParam: 'Correct the value named in the message.',
	nothingToRevoke: 'This message has no rating from this user, so there is nothing to take back.',
	providerCredentials:
		'The API key of the model provider is missing or invalid inside Dify (Settings, Model Provider). The key of the "Dify API" credential is fine.',
	providerQuota:
		'The model credits of this Dify workspace are used up. Add your own key of the model provider in Dify (Settings, Model Provider), or raise the plan.',
	modelUnsupported: 'Choose another model in the app, or add your own key of the model provider in Dify.',
	modelProvider:
		'The model provider behind Dify refused or failed: check the provider key, quota and model in Dify (Settings, Model Provider). The key of the "Dify API" credential is fine.',
	tooManyRequests:
		'The app runs as many requests at once as it is allowed to. Try again in a moment, lower the number of items at once, or raise the limit of the app in Dify.',
	rateLimited: 'Something in front of Dify limits the rate of requests. Wait, then send fewer at once.',
	quota: 'The plan of this Dify workspace has no runs left. Wait for the next period or raise the plan.',
	planLimit: 'The plan of this Dify workspace does not allow more of this. The key is fine.',
	runFailed: 'Open the run in the logs of the app in Dify to see which node failed and why.',
	streamEndedEarly:
		'The connection to Dify broke during the run. The run may have gone on: from Dify 1.13 on, chatflows do, and the whole answer is then stored in the conversation. Up to Dify 1.12 no answer is stored; only agents keep it, in agent_thoughts of the message. The text until then is in the details of this error. If it happens often, check time limits of proxies between n8n and Dify.',
	cancelled: 'The execution was stopped before the answer was complete.',
	timeout:
		'Raise the time limit in the options, or check in the logs of the app in Dify why it answers so slowly. If nothing at all arrives, a proxy may hold the stream back: turn off its buffering (nginx: proxy_buffering off).',
	queued:
		'The run waits in the queue of Dify, because its workers are busy or down, so it may still run later: look into the logs of the app in Dify before you send the message again. Check that the worker container of Dify runs, and give it more workers if it is busy (CELERY_WORKER_AMOUNT).',
	fileTooLarge:
		'The file is larger than Dify or a proxy in front of it allows. Send a smaller one, or raise the upload limit there.',
	fileType:
		'Dify does not take files of this type here. Check the MIME type of the binary data and the file types allowed in the app.',
	fileRejected:
		'Check the file against the file upload settings of the app: name, type, number, and the same user for upload and run.',
	featureOff: 'Switch the feature on in the app in Dify, publish it, and make sure that a model for it is configured.',
	formClosed: 'The form was answered already or has expired; the run cannot be continued with it.',
	formRejected:
		'Check the values against the fields of the form, and the action against its buttons. The form is still open.',
	dataset: 'Check the state of the knowledge base or document in Dify.',
	requestFormat: 'Dify could not read the request. A proxy between n8n and Dify may have changed or dropped its body.',
	routeNotFound:
		'Check the base URL in the credential: it must lead to the API of Dify and usually ends in /v1. If it is right, an ID has the wrong form, or this version of Dify does not have the function.',
	webFrontend:
		'The base URL leads to a web page, probably the web front end of Dify, not to its API. Use the address shown under API Access in Dify; it usually ends in /v1.',
	redirect:
		'Use the address to which the server redirects as the base URL, with the right scheme (http or https). The key is never sent on to another address.',
	serverError:
		'Dify failed inside. Look into the logs of its API container. A run may have been started: check the logs of the app before you send it again.',
	gateway:
		'A proxy in front of Dify got no answer from it in time. Check that Dify runs. A run may have been started: check the logs of the app before you send it again.',
	emptyAnswer: 'Dify answered without content. Check the base URL and the proxies in front of Dify.',
	unknown: 'Look into the logs of Dify for the time of this request.',
};

/** Dify's own codes (contract sections 1.3, 2, 3.7, 6.1). Codes that cover many causes are split by text, below. */
export const DIFY_CODES: Readonly<Record<string, DifyFailureKind>> = {
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
	dataset_name_duplicate: 'dataset',
	dataset_in_use: 'dataset',
	dataset_not_initialized: 'dataset',
	archived_document_immutable: 'dataset',
};

/**
 * Texts that say more than the code. They are looked at for codes that cover many causes, and where there is no code: errors
 * of newer workers have none (contract 3.7). Compared by beginning or part, for versions add to them (contract 6.3).
 */
export const DIFY_TEXTS: ReadonlyArray<readonly [RegExp, DifyFailureKind]> = [
	[/^Arg user must be provided/, 'missingUser'],
	[/^Too many requests/i, 'tooManyRequests'],
	[/does not support blocking mode|only supports streaming response mode/, 'streamingRequired'],
	[/^(?:Workflow|Agent) not published/i, 'notPublished'],
	[/^(?:Last )?Conversation Not Exists/i, 'conversationNotFound'],
	[/^(?:First )?Message Not Exists/i, 'messageNotFound'],
	[/^Workflow run not found/i, 'runNotFound'],
	[/^Workflow not found with id|^Invalid workflow_id format|^Cannot use draft workflow/, 'workflowVersion'],
	[/^The conversation has ended/, 'conversationEnded'],
	[/^query is required/, 'emptyQuery'],
	[/\bin input form\b|^Invalid input type for/, 'inputs'],
	[/rating cannot be None when feedback not exists/, 'nothingToRevoke'],
	[
		/^Invalid upload file|^Number of (?:\w+ )?files exceeds|^File validation failed|^Detected file type/,
		'fileRejected',
	],
	[/^No matching enum found|^Filename contains|not allowed for security reasons/, 'fileRejected'],
	[/Suggested Questions Is Disabled|Speech to text is not enabled|TTS is not enabled|no voice available/, 'featureOff'],
	[/^Run failed/, 'runFailed'],
	[/API service has been disabled/, 'appDisabled'],
	[
		/^The app no longer exists|app's status is abnormal|workspace's status is archived|^Tenant does not exist/,
		'appUnusable',
	],
	[/^Dataset api access is not enabled/, 'dataset'],
	[/valid UUID/i, 'invalidId'],
	[/^The job does not exist/, 'notFound'],
	[/^Type mismatch: variable/, 'invalidParam'],
	[/^Form recipient type is invalid/, 'formRejected'],
	[/validation errors? for /, 'invalidParam'],
];

/** Codes under which Dify reports many different things. */
export const VAGUE_CODES: ReadonlySet<string> = new Set(['invalid_param', 'bad_request', 'forbidden', 'not_found']);

/** What a bare status means when nothing Dify wrote came with it: proxies, edges and web servers in between. */
export function kindOfStatus(status: number): DifyFailureKind {
	if (status === 401) return 'unauthorized';
	if (status === 403) return 'forbidden';
	if (status === 404 || status === 405) return 'routeNotFound';
	if (status === 413) return 'fileTooLarge';
	if (status === 429) return 'rateLimited';
	if (status === 415 || status === 400) return 'requestFormat';
	// 504 and 524 are time limits of a proxy; 520 to 530 are Cloudflare's, which stands in front of Dify Cloud and of tunnels (530 where the tunnel is down).
	if ((status >= 502 && status <= 504) || (status >= 520 && status <= 530) || status === 408) return 'gateway';
	if (status >= 500) return 'serverError';
	if (status >= 300 && status < 400) return 'redirect';
	if (status >= 200 && status < 300) return 'emptyAnswer';
	return 'unknown';
}
