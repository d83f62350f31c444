/** What went wrong, as far as a user can act on it. */
export type DifyFailureKind =
	| 'unauthorized'
	| 'forbidden'
	| 'app-disabled'
	| 'app-unusable'
	| 'app-unavailable'
	| 'not-published'
	| 'wrong-app-type'
	| 'streaming-required'
	| 'conversation-ended'
	| 'conversation-not-found'
	| 'message-not-found'
	| 'workflow-version'
	| 'run-not-found'
	| 'file-not-found'
	| 'not-found'
	| 'missing-user'
	| 'empty-query'
	| 'inputs'
	| 'invalid-id'
	| 'invalid-param'
	| 'nothing-to-revoke'
	| 'provider-credentials'
	| 'provider-quota'
	| 'model-unsupported'
	| 'model-provider'
	| 'too-many-requests'
	| 'rate-limited'
	| 'quota'
	| 'plan-limit'
	| 'run-failed'
	| 'stream-ended-early'
	| 'cancelled'
	| 'timeout'
	| 'file-too-large'
	| 'file-type'
	| 'file-rejected'
	| 'feature-off'
	| 'form-closed'
	| 'form-rejected'
	| 'dataset'
	| 'request-format'
	| 'route-not-found'
	| 'web-frontend'
	| 'redirect'
	| 'server-error'
	| 'gateway'
	| 'empty-answer'
	| 'unknown';

/** What to do about it: one sentence or two that a user of n8n can follow, free of protocol words where it can be. */
export const DIFY_REMEDIES: Readonly<Record<DifyFailureKind, string>> = {
	unauthorized:
		'Check the API key in the "Dify API" credential: copy it again from the app in Dify under API Access. An app key works for its own app only; a knowledge key ("dataset-…") does not work for apps, nor the other way round.',
	forbidden:
		'The key is known, but Dify refuses this action. Read the message above, and check the app and the plan in Dify.',
	'app-disabled': 'Switch on "Backend service API" for this app in Dify (app overview), then try again.',
	'app-unusable':
		'The app or its workspace was deleted, archived or blocked in Dify. Use the key of an app that is active.',
	'app-unavailable':
		'Open the app in Dify, choose a model and publish it. If the app is fine, its type is another one: messages go to chatbots, agents and chatflows only.',
	'not-published': 'Publish the app in Dify: the API runs the published version, never the draft.',
	'wrong-app-type':
		'The app behind this key is of another type, such as a text generator or a workflow. Use the key of a chatbot, agent or chatflow.',
	'streaming-required': 'Agent apps answer only as a stream: switch streaming on (response mode "streaming").',
	'conversation-ended': 'This conversation is closed in Dify. Start a new one: leave the conversation ID empty.',
	'conversation-not-found':
		'The conversation was deleted, or belongs to another user, another app or the web app of Dify. Use the same user as in its first message, or leave the conversation ID empty to start a new one.',
	'message-not-found':
		'The message was deleted, or belongs to another user or app, or was not made over the API. Use the message ID and the user of the answer itself.',
	'workflow-version':
		'The workflow ID must be the ID of a published version of this app (not the app ID, not a run ID). Leave it empty for the latest published version.',
	'run-not-found': 'Check the workflow run ID (not the task ID), and use the user who started the run.',
	'file-not-found':
		'A file can be fetched only after it was used in a message of this app. Check the file ID and the key.',
	'not-found': 'Check the ID: it may be deleted, or belong to another app, user or knowledge base.',
	'missing-user':
		'Give the user: Dify keeps conversations, messages and files apart by it, and demands it for every run.',
	'empty-query': 'Give a query that is not empty.',
	inputs:
		'Check the inputs against the form of the app in Dify. Required inputs must be sent on every turn, also in an existing conversation.',
	'invalid-id': 'Give the ID as Dify shows it, a UUID such as 1c7e55fb-1ba2-4e10-81b5-30addcea2276.',
	'invalid-param': 'Correct the value named in the message.',
	'nothing-to-revoke': 'This message has no rating from this user, so there is nothing to take back.',
	'provider-credentials':
		'The API key of the model provider is missing or invalid inside Dify (Settings, Model Provider). The key of the "Dify API" credential is fine.',
	'provider-quota':
		'The model credits of this Dify workspace are used up. Add your own key of the model provider in Dify (Settings, Model Provider), or raise the plan.',
	'model-unsupported': 'Choose another model in the app, or add your own key of the model provider in Dify.',
	'model-provider':
		'The model provider behind Dify refused or failed: check the provider key, quota and model in Dify (Settings, Model Provider). The key of the "Dify API" credential is fine.',
	'too-many-requests':
		'The app runs as many requests at once as it is allowed to. Try again in a moment, lower the number of items at once, or raise the limit of the app in Dify.',
	'rate-limited': 'Something in front of Dify limits the rate of requests. Wait, then send fewer at once.',
	quota: 'The plan of this Dify workspace has no runs left. Wait for the next period or raise the plan.',
	'plan-limit': 'The plan of this Dify workspace does not allow more of this. The key is fine.',
	'run-failed': 'Open the run in the logs of the app in Dify to see which node failed and why.',
	'stream-ended-early':
		'The connection to Dify broke during the run. The run may have gone on: look for its answer in the conversation before you send it again. If it happens often, check time limits of proxies between n8n and Dify.',
	cancelled: 'The execution was stopped before the answer was complete.',
	timeout:
		'Raise the time limit in the options, or check in the logs of the app in Dify why it answers so slowly. If nothing at all arrives, a proxy may hold the stream back: turn off its buffering (nginx: proxy_buffering off).',
	'file-too-large':
		'The file is larger than Dify or a proxy in front of it allows. Send a smaller one, or raise the upload limit there.',
	'file-type':
		'Dify does not take files of this type here. Check the MIME type of the binary data and the file types allowed in the app.',
	'file-rejected':
		'Check the file against the file upload settings of the app: name, type, number, and the same user for upload and run.',
	'feature-off':
		'Switch the feature on in the app in Dify, publish it, and make sure that a model for it is configured.',
	'form-closed': 'The form was answered already or has expired; the run cannot be continued with it.',
	'form-rejected':
		'Check the values against the fields of the form, and the action against its buttons. The form is still open.',
	dataset: 'Check the state of the knowledge base or document in Dify.',
	'request-format':
		'Dify could not read the request. A proxy between n8n and Dify may have changed or dropped its body.',
	'route-not-found':
		'Check the base URL in the credential: it must lead to the API of Dify and usually ends in /v1. If it is right, an ID has the wrong form, or this version of Dify does not have the function.',
	'web-frontend':
		'The base URL leads to a web page, probably the web front end of Dify, not to its API. Use the address shown under API Access in Dify; it usually ends in /v1.',
	redirect:
		'Use the address to which the server redirects as the base URL, with the right scheme (http or https). The key is never sent on to another address.',
	'server-error':
		'Dify failed inside. Look into the logs of its API container. A run may have been started: check the logs of the app before you send it again.',
	gateway:
		'A proxy in front of Dify got no answer from it in time. Check that Dify runs. A run may have been started: check the logs of the app before you send it again.',
	'empty-answer': 'Dify answered without content. Check the base URL and the proxies in front of Dify.',
	unknown: 'Look into the logs of Dify for the time of this request.',
};

/** Dify's own codes (contract sections 1.3, 2, 3.7, 6.1). Codes that cover many causes are split by text, below. */
export const DIFY_CODES: Readonly<Record<string, DifyFailureKind>> = {
	unauthorized: 'unauthorized',
	forbidden: 'forbidden',
	app_not_found: 'app-unusable',
	app_abnormal_status: 'app-unusable',
	app_api_disabled: 'app-disabled',
	workspace_not_found: 'app-unusable',
	workspace_archived: 'app-unusable',
	not_chat_app: 'wrong-app-type',
	not_completion_app: 'wrong-app-type',
	not_workflow_app: 'wrong-app-type',
	app_unavailable: 'app-unavailable',
	agent_not_published: 'not-published',
	conversation_completed: 'conversation-ended',
	provider_not_initialize: 'provider-credentials',
	provider_quota_exceeded: 'provider-quota',
	model_currently_not_support: 'model-unsupported',
	completion_request_error: 'model-provider',
	workflow_version_execution_not_allowed: 'plan-limit',
	rate_limit_error: 'quota',
	too_many_requests: 'too-many-requests',
	invalid_param: 'invalid-param',
	bad_request: 'request-format',
	bad_request_key_error: 'file-rejected',
	not_found: 'not-found',
	method_not_allowed: 'route-not-found',
	unsupported_media_type: 'request-format',
	request_entity_too_large: 'file-too-large',
	internal_server_error: 'server-error',
	unknown: 'server-error',
	human_input_form_submitted: 'form-closed',
	human_input_form_expired: 'form-closed',
	invalid_form_data: 'form-rejected',
	app_suggested_questions_after_answer_disabled: 'feature-off',
	speech_to_text_disabled: 'feature-off',
	provider_not_support_speech_to_text: 'feature-off',
	no_file_uploaded: 'file-rejected',
	too_many_files: 'file-rejected',
	filename_not_exists_error: 'file-rejected',
	no_audio_uploaded: 'file-rejected',
	file_too_large: 'file-too-large',
	audio_too_large: 'file-too-large',
	unsupported_file_type: 'file-type',
	unsupported_audio_type: 'file-type',
	file_not_found: 'file-not-found',
	file_access_denied: 'file-not-found',
	end_user_not_found: 'not-found',
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
	[/^Arg user must be provided/, 'missing-user'],
	[/^Too many requests/i, 'too-many-requests'],
	[/does not support blocking mode|only supports streaming response mode/, 'streaming-required'],
	[/^(?:Workflow|Agent) not published/i, 'not-published'],
	[/^(?:Last )?Conversation Not Exists/i, 'conversation-not-found'],
	[/^(?:First )?Message Not Exists/i, 'message-not-found'],
	[/^Workflow run not found/i, 'run-not-found'],
	[/^Workflow not found with id|^Invalid workflow_id format|^Cannot use draft workflow/, 'workflow-version'],
	[/^The conversation has ended/, 'conversation-ended'],
	[/^query is required/, 'empty-query'],
	[/\bin input form\b|^Invalid input type for/, 'inputs'],
	[/rating cannot be None when feedback not exists/, 'nothing-to-revoke'],
	[
		/^Invalid upload file|^Number of (?:\w+ )?files exceeds|^File validation failed|^Detected file type/,
		'file-rejected',
	],
	[/^No matching enum found|^Filename contains|not allowed for security reasons/, 'file-rejected'],
	[
		/Suggested Questions Is Disabled|Speech to text is not enabled|TTS is not enabled|no voice available/,
		'feature-off',
	],
	[/^Run failed/, 'run-failed'],
	[/API service has been disabled/, 'app-disabled'],
	[
		/^The app no longer exists|app's status is abnormal|workspace's status is archived|^Tenant does not exist/,
		'app-unusable',
	],
	[/^Dataset api access is not enabled/, 'dataset'],
	[/valid UUID/i, 'invalid-id'],
	[/^The job does not exist/, 'not-found'],
	[/^Type mismatch: variable/, 'invalid-param'],
	[/^Form recipient type is invalid/, 'form-rejected'],
	[/validation errors? for /, 'invalid-param'],
];

/** Codes under which Dify reports many different things. */
export const VAGUE_CODES: ReadonlySet<string> = new Set(['invalid_param', 'bad_request', 'forbidden', 'not_found']);

/** What a bare status means when nothing Dify wrote came with it: proxies, edges and web servers in between. */
export function kindOfStatus(status: number): DifyFailureKind {
	if (status === 401) return 'unauthorized';
	if (status === 403) return 'forbidden';
	if (status === 404 || status === 405) return 'route-not-found';
	if (status === 413) return 'file-too-large';
	if (status === 429) return 'rate-limited';
	if (status === 415 || status === 400) return 'request-format';
	// 504 and 524 are time limits of a proxy; 520 to 530 are Cloudflare's, which stands in front of Dify Cloud and of tunnels (530 where the tunnel is down).
	if ((status >= 502 && status <= 504) || (status >= 520 && status <= 530) || status === 408) return 'gateway';
	if (status >= 500) return 'server-error';
	if (status >= 300 && status < 400) return 'redirect';
	if (status >= 200 && status < 300) return 'empty-answer';
	return 'unknown';
}
