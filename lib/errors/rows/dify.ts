/** The error types of Dify, and what differs for it in those of model servers. */
import type { DifyVariant, ErrorRow } from './error-row';
import type { MODEL_ERRORS } from './model';
import type { NETWORK_ERRORS } from './network';
import { formatDuration } from '../../values/duration';
import { optional } from './optional-facts';
import { isCloudflareStatus } from '../gateway-status';
import type { GATEWAY_ERRORS } from './gateway';
import { describeGatewayTimeout } from './gateway';
import { describeRedirect, describeRedirectTarget } from './network';

const PROVIDER = 'in Dify (Settings, Model Provider)';
const CREDENTIAL_IS_FINE = 'The API key of the "Dify API" credential is fine.';
const RUN_MAY_HAVE_STARTED =
	' A run may have started: check the logs of the app before you send the request again.';

const CHECK_SILENT_DIFY =
	'Check that Dify and its database are running (docker compose ps), the log of its API container, and the proxy in front of it.';

const CHECK_CLOUD_ADDRESS = 'Check the Base URL (Dify Cloud: https://api.dify.ai/v1)';

/** For Dify Cloud, of which users see nothing but its state. */
export const DIFY_CLOUD_IS_SILENT =
	'Dify Cloud did not respond in time: try again later (its state is at status.dify.ai).';

/** What to check after a timeout before which no event of the run arrived. */
const SILENT_RUN = {
	pings: 'the worker container of Dify (docker compose ps)',
	nothing: 'that the proxy in front of Dify does not hold events back (nginx: proxy_buffering off)',
};

/**
 * Errors that only Dify has, explained for users of n8n. Facts from docs/protocols/dify.md 1.3, 2, 5 and 6.
 */
export const DIFY_ERRORS = {
	appDisabled: {
		title: 'The API of this app is disabled in Dify',
		suggestion: 'Enable "Backend service API" for this app in Dify (app overview), then try again.',
		health: 'misconfigured',
		cause: 'server',
	},
	appInactive: {
		title: 'The app of this key is no longer available',
		suggestion:
			'The app or its workspace was deleted, archived or blocked in Dify. Use the key of an active app.',
		health: 'misconfigured',
		cause: 'server',
	},
	appUnavailable: {
		title: 'The app has no model, is not published, or is of another type',
		suggestion:
			'Open the app in Dify, select a model and publish it. If the app works in Dify, its type does not match: only chatbots, agents and chatflows accept messages.',
		health: 'misconfigured',
		cause: 'server',
	},
	notPublished: {
		title: 'The app has not been published',
		suggestion: 'Publish the app in Dify: the API runs the published version, never the draft.',
		health: 'misconfigured',
		cause: 'server',
	},
	wrongAppType: {
		title: 'The app of this key is of another type',
		suggestion: 'Use the key of a chatbot, agent or chatflow.',
		health: 'degraded',
		cause: 'server',
	},
	conversationEnded: {
		title: 'The conversation is closed in Dify',
		suggestion: 'Start a new conversation: leave the conversation ID empty.',
		health: 'degraded',
		cause: 'request',
	},
	conversationNotFound: {
		title: 'Dify cannot find the conversation',
		suggestion:
			'It was deleted, or belongs to another user, another app or the Dify web app. Use the user of its first message, or start a new conversation (Dify Chat Message: "When Conversation Is Unavailable").',
		health: 'degraded',
		cause: 'request',
	},
	messageNotFound: {
		title: 'Dify cannot find the message',
		suggestion:
			'It was deleted, belongs to another user or app, or was not created through the API. Use the message ID and the user of the original response.',
		health: 'degraded',
		cause: 'request',
	},
	startsWithTrigger: {
		title: 'The workflow starts with a trigger',
		suggestion:
			'It cannot be run through the API: call its webhook with an HTTP Request node, or replace the trigger with a start node (User Input) and publish the workflow.',
		health: 'degraded',
		cause: 'server',
	},
	workflowVersionNotFound: {
		title: 'Dify cannot find this version of the app',
		suggestion:
			'Enter the ID of a published version of this app (not the app ID or a run ID). Leave the field empty to use the latest published version.',
		health: 'degraded',
		cause: 'server',
	},
	runNotFound: {
		title: 'Dify cannot find the run',
		suggestion:
			'Check the workflow run ID (not the task ID), and use the user who started the run.',
		health: 'degraded',
		cause: 'request',
	},
	fileNotFound: {
		title: 'Dify cannot find the file',
		suggestion:
			'A file can be downloaded only after a message of this app has used it. Check the file ID and the key.',
		health: 'degraded',
		cause: 'request',
	},
	notFound: {
		title: 'Dify cannot find the requested object',
		suggestion:
			'Check the ID: the object may have been deleted, or belong to another app, user or knowledge base.',
		health: 'degraded',
		cause: 'request',
	},
	missingUser: {
		title: 'The user is missing',
		suggestion:
			'Enter a user: Dify separates conversations, messages and files by user and requires one for every run.',
		health: 'degraded',
		cause: 'request',
	},
	emptyQuery: {
		title: 'The query is empty',
		suggestion: 'Enter a query.',
		health: 'degraded',
		cause: 'request',
	},
	invalidInputs: {
		title: 'The inputs do not match the form of the app',
		suggestion: ({ isChatMessage }) =>
			`Check the inputs against the form of the app in Dify.${isChatMessage ? ' Required inputs must be sent on every turn, also in an existing conversation.' : ''}`,
		health: 'degraded',
		cause: 'request',
	},
	invalidId: {
		title: 'The ID is not valid',
		suggestion:
			'Enter the ID as shown in Dify, a UUID such as 1c7e55fb-1ba2-4e10-81b5-30addcea2276.',
		health: 'degraded',
		cause: 'request',
	},
	invalidParam: {
		title: 'Dify rejected a value in the request',
		suggestion: ({ isEmpty }) =>
			isEmpty
				? 'Dify returned no reason. Check the fields of the node, and the type and size of files.'
				: 'The Dify message says what it does not accept.',
		health: 'degraded',
		cause: 'request',
	},
	nothingToRevoke: {
		title: 'There is no rating to remove',
		suggestion: 'This user has not rated this message.',
		health: 'degraded',
		cause: 'request',
	},
	providerKeyInvalid: {
		title: 'Dify has no valid API key for the model provider',
		suggestion: `Set the API key of the model provider ${PROVIDER}. ${CREDENTIAL_IS_FINE}`,
		health: 'misconfigured',
		cause: 'server',
	},
	providerQuotaExceeded: {
		title: 'The model credits of this Dify workspace are used up',
		suggestion: `Add your own API key of the model provider ${PROVIDER}, or upgrade the plan.`,
		health: 'degraded',
		cause: 'server',
	},
	modelUnsupported: {
		title: 'Dify cannot use the model of the app',
		suggestion: `Select another model in the app, or add your own API key of the model provider ${PROVIDER}.`,
		health: 'degraded',
		cause: 'server',
	},
	providerError: {
		title: 'The model behind Dify rejected the request or failed',
		suggestion: `Dify works, but the model provider returned an error: check the model server, and the key, quota and model of the provider ${PROVIDER}. ${CREDENTIAL_IS_FINE}`,
		health: 'degraded',
		cause: 'server',
	},
	providerUnreachable: {
		title: 'Dify could not connect to its model, or lost the connection',
		suggestion: `The model server behind Dify may be down, or have crashed during the response: check its log. Check its address ${PROVIDER} as seen from the Dify containers. ${CREDENTIAL_IS_FINE}`,
		health: 'degraded',
		cause: 'server',
		onCloud: `The model server behind Dify may be down, or have crashed during the response: check its log. Check its address ${PROVIDER}: Dify Cloud reaches public addresses only. ${CREDENTIAL_IS_FINE}`,
	},
	pluginDaemonError: {
		title: 'The plugin daemon of Dify is not working',
		suggestion:
			'Dify runs models as plugins, and the plugin service is down or still starting. Check docker compose ps and docker compose logs plugin_daemon, then try again.',
		health: 'degraded',
		cause: 'server',
		onCloud: 'Dify Cloud failed: try again later (its state is at status.dify.ai).',
	},
	providerNotInstalled: {
		title: 'The model provider of the app is not installed in Dify',
		suggestion:
			'Install the plugin of the provider in Dify (Plugins), or select a model of another provider in the app and publish it.',
		health: 'degraded',
		cause: 'server',
	},
	providerModelNotFound: {
		title: 'Dify does not have the model of the app',
		suggestion:
			'The model was removed from its provider in Dify, or the plugin daemon of Dify is down: check Settings, Model Provider, select an available model and publish the app.',
		health: 'degraded',
		cause: 'server',
	},
	fileUnreachable: {
		title: 'Dify cannot download a file from its URL',
		suggestion:
			'Dify downloads the file itself, so the URL must be reachable from the Dify containers: localhost or an address inside the n8n network is not. Check the URL, or send the file as binary data.',
		health: 'degraded',
		cause: 'server',
		onCloud:
			'Dify downloads the file itself, so the URL must be a public one. Check the URL, or send the file as binary data.',
	},
	agentLimitReached: {
		title: 'The agent reached its run limit',
		suggestion:
			'Raise the limit in the agent settings in Dify, or give the agent a smaller task. The details contain what it produced.',
		health: 'degraded',
		cause: 'server',
	},
	quotaExceeded: {
		title: 'This Dify workspace has used all runs of its plan',
		suggestion: 'Wait for the next period or upgrade the plan.',
		health: 'degraded',
		cause: 'server',
	},
	planLimitReached: {
		title: 'The plan of this Dify workspace does not allow more of these',
		suggestion: 'Upgrade the plan, or delete what you no longer need. The API key is fine.',
		health: 'degraded',
		cause: 'server',
	},
	runFailed: {
		title: 'The run failed in Dify',
		suggestion: ({ isKnowledge }) =>
			isKnowledge
				? 'Check the file, the inputs and the datasource, and run the pipeline in Dify, which shows the node that fails.'
				: 'Open the run in the logs of the app in Dify: they show each node with its input and output.',
		health: 'degraded',
		cause: 'server',
	},
	runTimeout: {
		title: 'A timeout was reached',
		suggestion: ({ isRunStart, onlyReceived }) => {
			if (onlyReceived !== undefined)
				return `Raise the timeout in the options, or check ${SILENT_RUN[onlyReceived]}.${isRunStart ? RUN_MAY_HAVE_STARTED : ''}`;
			return isRunStart
				? 'Raise the timeout in the options. The run has started: check the logs of the app in Dify before you send the request again.'
				: 'Raise the timeout in the options, or check the logs of the app in Dify.';
		},
		health: 'degraded',
		cause: 'server',
		onCloud: ({ isRunStart }) =>
			`Raise the timeout in the options, or check the logs of the app in Dify.${isRunStart ? RUN_MAY_HAVE_STARTED : ''}`,
	},
	runQueued: {
		title: 'Dify sent only pings, and no event of the run',
		suggestion:
			'The run may still start or finish later: check the logs of the app in Dify before you send the message again. Chatflows and workflows wait while the worker container is down or busy: check that it is running, and add workers (CELERY_WORKER_AMOUNT).',
		health: 'degraded',
		cause: 'server',
		onCloud:
			'The run may still start or finish later: check the logs of the app in Dify before you send the message again.',
	},
	fileTypeNotAllowed: {
		title: 'Dify does not accept this file type here',
		suggestion: ({ isKnowledge }) =>
			isKnowledge
				? 'A knowledge base accepts TXT, Markdown, PDF, HTML, XLSX, XLS, DOCX and CSV; with Unstructured also DOC, EML, MSG, PPTX, PPT, XML and EPUB. Convert the file, and check the extension of its name.'
				: 'Check the MIME type of the binary data and the file types allowed in the app.',
		health: 'degraded',
		cause: 'request',
	},
	fileRejected: {
		title: 'The file was rejected',
		suggestion:
			'Check the file against the file upload settings of the app: name, type and number of files. Use the same user for upload and run.',
		health: 'degraded',
		cause: 'request',
	},
	appFeatureDisabled: {
		title: 'This feature is disabled in the app',
		suggestion:
			'Enable the feature in the app in Dify, publish it, and make sure that a model is configured for it.',
		health: 'degraded',
		cause: 'server',
	},
	formClosed: {
		title: 'The form is closed',
		suggestion:
			'Only the first submission counts, and an expired form takes the timeout branch of its node. Use Follow to see how the run continues.',
		health: 'degraded',
		cause: 'request',
	},
	formNotFound: {
		title: 'Dify cannot find the form',
		suggestion:
			'Check the form token, and that the API key belongs to the app of the paused run. A form that is sent by email only cannot be submitted through the API.',
		health: 'degraded',
		cause: 'request',
	},
	formRejected: {
		title: 'Dify rejected the submitted form',
		suggestion:
			'Check the values against the fields of the form, and the action against its buttons. The form is still open.',
		health: 'degraded',
		cause: 'request',
	},
	datasetRejected: {
		title: 'The knowledge base or document does not allow this action',
		suggestion: 'Check the status of the knowledge base or document in Dify.',
		health: 'degraded',
		cause: 'request',
	},
	datasetNotFound: {
		title: 'Dify cannot find the knowledge base',
		suggestion: 'It was deleted, or belongs to another workspace than the key. Select it again.',
		health: 'degraded',
		cause: 'request',
	},
	documentNotIndexed: {
		title: 'The knowledge base is empty or still indexing',
		suggestion: 'Add documents first, and wait until they are indexed.',
		health: 'degraded',
		cause: 'request',
	},
	documentArchived: {
		title: 'The document is archived',
		suggestion: 'Unarchive it with Set Status first.',
		health: 'degraded',
		cause: 'request',
	},
	documentBusy: {
		title: 'Dify is still processing the document or chunk',
		suggestion:
			'Wait until it is indexed (Get Status can wait for it), then try again. Nothing was changed.',
		health: 'degraded',
		cause: 'request',
	},
	nameTaken: {
		title: 'The name is already in use in Dify',
		suggestion: 'Enter another name, or use the existing object.',
		health: 'degraded',
		cause: 'request',
	},
	indexingFailed: {
		title: 'Dify could not index the document',
		suggestion:
			'The document stays in the knowledge base with the status "error". Fix the problem named in the Dify message, then send the document again under the same name.',
		health: 'degraded',
		cause: 'server',
	},
	indexingStuck: {
		title: 'The Dify worker has not started on the document',
		suggestion:
			'Check that the worker container of Dify is running and not busy (docker compose ps, docker compose logs worker). The document stays in the queue and will be indexed, so do not send it again.',
		health: 'degraded',
		cause: 'server',
		onCloud:
			'Dify Cloud is busy: the document stays in the queue and will be indexed, so do not send it again.',
	},
} satisfies Readonly<Record<string, ErrorRow>>;

/** Errors that model servers have as well, which mean the same with other words. */
export const DIFY_VARIANTS = {
	unauthorized: {
		title: ({ isKeyMissing }) =>
			isKeyMissing
				? 'Dify requires an API key, but the credential has none'
				: 'Dify rejected the API key',
		suggestion:
			'Copy the API key again from API Access of the app in Dify into the "Dify API" credential. An app key ("app-…") works only for its own app; knowledge bases need a knowledge key ("dataset-…").',
	},
	forbidden: {
		title: 'Dify does not allow this action',
		health: 'misconfigured',
		suggestion: ({ isEmpty = true }) =>
			isEmpty
				? 'The key is valid, but Dify rejected this action. Check the app and the plan in Dify.'
				: 'The key is valid: the Dify message says what it does not allow.',
	},
	busy: {
		title: 'Dify, or a proxy in front of it, rejects further requests for now',
		suggestion:
			'Try again later, or send fewer requests at the same time: an app may have such a limit in Dify.',
	},
	streamEndedEarly: {
		title: 'The response from Dify ended before it was complete',
		suggestion:
			'The run may have continued in Dify: chatflows and agents do. If this happens often, check the timeouts of proxies between n8n and Dify.',
	},
	requestTooLarge: {
		health: 'degraded',
		title: 'The file is too large',
		suggestion:
			'Send a smaller file, or raise the limit of the proxy in front of Dify (Dify settings: NGINX_CLIENT_MAX_BODY_SIZE) and of Dify itself (UPLOAD_FILE_SIZE_LIMIT).',
		onCloud: 'Send a smaller file.',
	},
	routeNotFound: {
		title: 'No Dify API was found at this path',
		suggestion: ({ isDify, url = '' }) =>
			isDify && url.includes('/v1/')
				? 'Update Dify: this version does not have the operation.'
				: 'Check the Base URL in the credential: it must point to the Dify API and usually ends in /v1.',
	},
	notAnApi: {
		title: 'The Base URL returns a web page, not the Dify API',
		suggestion:
			'The Base URL probably points to the Dify web app. Use the address shown under API Access in Dify; it usually ends in /v1.',
	},
	wrongServer: {
		title: 'Another program responds at the Base URL, not Dify',
		suggestion:
			'Check the host, port and path of the Base URL. Use the address shown under API Access in Dify; it usually ends in /v1.',
	},
	unexpectedRedirect: {
		detail: ({ url, location }) =>
			describeRedirect({ url, location: location?.replace(/[?#].*/s, '') }),
		suggestion: describeRedirectTarget('Dify'),
	},
	serverError: {
		title: 'Dify returned an internal error',
		suggestion: ({ isRunStart }) =>
			`Check the logs of the API container (docker compose logs api).${isRunStart ? RUN_MAY_HAVE_STARTED : ''}`,
		onCloud: ({ isRunStart }) =>
			`Dify Cloud failed: try again later (its state is at status.dify.ai).${isRunStart ? RUN_MAY_HAVE_STARTED : ''}`,
	},
	badGateway: {
		title: ({ gateway = 'A proxy', status }) =>
			`${gateway} responds${optional(' with ', status)}, but Dify behind it does not`,
		suggestion: ({ status = 0 }) =>
			isCloudflareStatus(status)
				? 'Status codes from 520 on come from Cloudflare: check that Dify is running, and that the connection from Cloudflare to it is up.'
				: 'Check that Dify is running (docker compose ps), and the log of the proxy.',
		onCloud: ({ isRunStart }) =>
			`Dify Cloud failed: try again later (its state is at status.dify.ai).${isRunStart ? RUN_MAY_HAVE_STARTED : ''}`,
	},
	gatewayTimeout: {
		title: (facts) => describeGatewayTimeout(facts, 'Dify'),
		suggestion: ({ isRunStart }) =>
			`Raise the timeout of the proxy in front of Dify (nginx: proxy_read_timeout), or use an address of Dify without it.${isRunStart ? RUN_MAY_HAVE_STARTED : ''}`,
		onCloud: ({ isRunStart }) =>
			`Dify Cloud did not respond in time: try again later, or request a shorter response.${isRunStart ? RUN_MAY_HAVE_STARTED : ''}`,
	},
	tunnelDown: {
		title: 'The tunnel to Dify is down',
		suggestion:
			'Start the tunnel again on the machine of Dify (cloudflared), and check its log: Dify itself may be running.',
		onCloud: 'Dify Cloud failed: try again later (its state is at status.dify.ai).',
	},
	// Nobody but its operator can start a container of Dify Cloud: its address, or the network of n8n, is wrong.
	dnsLookupFailed: {
		onCloud: `${CHECK_CLOUD_ADDRESS}, and that the machine that runs n8n can look up public host names (its DNS).`,
	},
	connectionRefused: {
		onCloud: `${CHECK_CLOUD_ADDRESS}, and the firewall and proxy of n8n. The state of Dify Cloud is at status.dify.ai.`,
	},
	hostUnreachable: {
		onCloud: `${CHECK_CLOUD_ADDRESS}, and the internet connection of the machine that runs n8n.`,
	},
	// Limits of the node, which no option changes. Those of a run have texts of their own.
	firstTokenTimeout: {
		title: ({ timeoutMs }) => `Dify did not respond within ${formatDuration(timeoutMs)}`,
		suggestion: CHECK_SILENT_DIFY,
		onCloud: DIFY_CLOUD_IS_SILENT,
	},
	idleTimeout: {
		title: ({ timeoutMs }) =>
			`The response from Dify stalled: nothing arrived for ${formatDuration(timeoutMs)}`,
		suggestion: CHECK_SILENT_DIFY,
		onCloud: DIFY_CLOUD_IS_SILENT,
	},
	totalTimeout: {
		title: ({ timeoutMs }) => `Dify did not respond within ${formatDuration(timeoutMs)}`,
		suggestion: CHECK_SILENT_DIFY,
		onCloud: DIFY_CLOUD_IS_SILENT,
	},
	emptyResponse: {
		title: 'Dify returned an empty response',
		suggestion: 'Check the Base URL and the proxies in front of Dify.',
	},
	// Dify has other routes whose errors these are not.
	invalidResponse: {
		detail: 'Dify, or a proxy in front of it, returned something other than what was requested',
		suggestion: 'Check the Base URL and the proxies in front of Dify.',
		health: 'degraded',
	},
	badRequest: { health: 'degraded' },
	featureDisabled: { health: 'degraded' },
} satisfies Readonly<
	Partial<
		Record<
			keyof typeof MODEL_ERRORS | keyof typeof NETWORK_ERRORS | keyof typeof GATEWAY_ERRORS,
			DifyVariant
		>
	>
>;
