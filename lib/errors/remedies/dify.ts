import { row, type RemedyFacts, type Row } from './facts';
import { isCloudflare, redirection } from './network';

const PROVIDER = 'in Dify (Settings, Model Provider)';
const CREDENTIAL_IS_FINE = 'The key of the "Dify API" credential is fine.';

/**
 * What Dify refuses or fails in, in words that a user of n8n can follow. Facts from docs/protocols/dify.md 1.3, 2, 5
 * and 6.
 */
export const DIFY_REMEDIES = {
	unauthorized: ({ keyMissing }) => ({
		title:
			keyMissing === true
				? 'Dify wants an API key, and the credential has none'
				: 'Dify refuses the API key',
		remedy:
			'Check the API key in the "Dify API" credential: copy it again from the app in Dify under API Access. An app key works for its own app only; a knowledge key ("dataset-…") does not work for apps, nor the other way round.',
	}),
	forbidden: row(
		'Dify does not allow this',
		'The key is known, but Dify refuses this action. Check the app and the plan in Dify.',
	),
	appDisabled: row(
		'The API of this app is switched off in Dify',
		'Switch on "Backend service API" for this app in Dify (app overview), then try again.',
	),
	appUnusable: row(
		'The app behind this key cannot be used any more',
		'The app or its workspace was deleted, archived or blocked in Dify. Use the key of an app that is active.',
	),
	appUnavailable: row(
		'The app has no model, is not published, or cannot be used this way',
		'Open the app in Dify, choose a model and publish it. If the app is fine, its type is another one: messages go to chatbots, agents and chatflows only.',
	),
	notPublished: row(
		'The app was never published',
		'Publish the app in Dify: the API runs the published version, never the draft.',
	),
	wrongAppType: row(
		'The app behind this key is of another type',
		'It is perhaps a text generator or a workflow. Use the key of a chatbot, agent or chatflow.',
	),
	conversationEnded: row(
		'The conversation is closed in Dify',
		'Start a new one: leave the conversation ID empty.',
	),
	conversationNotFound: row(
		'Dify does not find the conversation',
		'The conversation was deleted, or belongs to another user, another app or the web app of Dify. Use the same user as in its first message, or leave the conversation ID empty to start a new one.',
	),
	messageNotFound: row(
		'Dify does not find the message',
		'The message was deleted, or belongs to another user or app, or was not made over the API. Use the message ID and the user of the answer itself.',
	),
	beginsWithTrigger: row(
		'The workflow begins with a trigger',
		'It cannot be run over the API: call its webhook with an HTTP Request node, or begin it with a start node (User Input) and publish it.',
	),
	workflowVersion: row(
		'Dify does not find this version of the app',
		'The workflow ID must be the ID of a published version of this app (not the app ID, not a run ID). Leave it empty for the latest published version.',
	),
	runNotFound: row(
		'Dify does not find the run',
		'Check the workflow run ID (not the task ID), and use the user who started the run.',
	),
	fileNotFound: row(
		'Dify does not find the file',
		'A file can be fetched only after it was used in a message of this app. Check the file ID and the key.',
	),
	notFound: row(
		'Dify does not find what was asked for',
		'Check the ID: it may be deleted, or belong to another app, user or knowledge base.',
	),
	missingUser: row(
		'The user is missing',
		'Give the user: Dify keeps conversations, messages and files apart by user, and needs one for every run.',
	),
	emptyQuery: row('The query is empty', 'Give a query that is not empty.'),
	inputs: row(
		'The inputs do not fit the form of the app',
		'Check the inputs against the form of the app in Dify. Required inputs must be sent on every turn, also in an existing conversation.',
	),
	invalidId: row(
		'The ID is not valid',
		'Give the ID as Dify shows it, a UUID such as 1c7e55fb-1ba2-4e10-81b5-30addcea2276.',
	),
	invalidParam: row(
		'Dify refuses a value of the request',
		'Correct the value that the text of Dify names.',
	),
	nothingToRevoke: row(
		'There is no rating to take back',
		'This message has no rating from this user, so there is nothing to take back.',
	),
	providerCredentials: row(
		'Dify has no valid key of the model provider',
		`The API key of the model provider is missing or invalid inside Dify: set it ${PROVIDER}. ${CREDENTIAL_IS_FINE}`,
	),
	providerQuota: row(
		'The model credits of this Dify workspace are used up',
		`Add your own key of the model provider ${PROVIDER}, or upgrade the plan.`,
	),
	modelUnsupported: row(
		'Dify cannot use the model of the app',
		`Choose another model in the app, or add your own key of the model provider ${PROVIDER}.`,
	),
	modelProvider: row(
		'The model behind Dify refused or failed',
		`Dify itself works, but the model provider did not answer it: check the model server, and the provider's key, quota and model ${PROVIDER}. ${CREDENTIAL_IS_FINE}`,
	),
	modelConnection: row(
		'Dify lost the connection to its model, or got none',
		'The model server behind Dify may be down, or have crashed in the middle of the answer: look at its log, and check its address in Dify (Settings, Model Provider) as seen from the containers of Dify. The key of the "Dify API" credential is fine.',
	),
	pluginDaemon: row(
		'The plugin daemon of Dify does not work',
		'Models are plugins in Dify, and the service that runs them is down or still starting. Look at docker compose ps and docker compose logs plugin_daemon, then try again.',
	),
	providerMissing: row(
		'The model provider of the app is not installed in Dify',
		'Install the plugin of the provider in Dify (Plugins), or choose a model of another provider in the app and publish it.',
	),
	modelMissing: row(
		'Dify does not have the model of the app',
		'The model was taken out of its provider in Dify, or the plugin daemon of Dify is down: look at Settings, Model Provider, and choose a model that is there. Then publish the app.',
	),
	agentBackend: row(
		'The agent backend of Dify does not answer',
		'New Agents run in a service of their own. Look at its container in the installation of Dify (docker compose ps) and at its log. The model server is not asked before that.',
	),
	fileUnreachable: row(
		'Dify cannot fetch a file from its URL',
		'Dify itself fetches the file, so the URL must be reachable from the containers of Dify: an address such as localhost or one inside the network of n8n is not. Check the URL, or send the file as binary data.',
	),
	busy: row(
		'The app is running as many requests as it may',
		'Try again in a moment, lower the number of items at once, or raise the limit of the app in Dify. Dify counts a streamed chatflow or workflow twice: allow two for each run at once. Where something in front of Dify limits the rate of requests, send fewer at once.',
	),
	quota: row(
		'The plan of this Dify workspace has no runs left',
		'Wait for the next period or upgrade the plan.',
	),
	planLimit: row(
		'The plan of this Dify workspace does not allow more of this',
		'Upgrade the plan, or delete what is not needed. The key is fine.',
	),
	runFailed: row(
		'The run failed in Dify',
		'Open the run in the logs of the app in Dify: it shows each node with its input and output. Inputs, files and the workflow itself may be the reason.',
	),
	streamEndedEarly: row(
		'The answer of Dify ended before it was complete',
		'The connection to Dify broke during the run. The run may have gone on: chatflows and agents do. The text until then is in the details of this error. If it happens often, check the time limits of proxies between n8n and Dify.',
	),
	cancelled: row('The execution was stopped', 'It was stopped before the answer was complete.'),
	timeout: ({ startsRun }) => ({
		title: 'A time limit ran out',
		remedy: `Raise the time limit in the options, or check in the logs of the app in Dify why it answers so slowly. If only pings arrived, the Celery worker of Dify, which does the work, may not run (docker compose ps). If nothing at all arrives, a proxy may hold the stream back: turn off its buffering (nginx: proxy_buffering off).${mayHaveStarted(startsRun)}`,
	}),
	queued: row(
		'The run waits in the queue of Dify',
		'The workers of Dify are busy or down, so the run may still run later: look at the logs of the app in Dify before you send the message again. Check that the worker container of Dify runs, and give it more workers if it is busy (CELERY_WORKER_AMOUNT).',
	),
	tooLarge: row(
		'The file is too large',
		'The file is larger than Dify or a proxy in front of it allows. Send a smaller one, or raise the upload limit there.',
	),
	fileType: row(
		'Dify does not take files of this type here',
		'Check the MIME type of the binary data and the file types allowed in the app.',
	),
	fileRejected: row(
		'The file was refused',
		'Check the file against the file upload settings of the app: name, type, number, and the same user for upload and run.',
	),
	featureOff: row(
		'The app does not have this feature switched on',
		'Switch the feature on in the app in Dify, publish it, and make sure that a model for it is configured.',
	),
	formClosed: row(
		'The form is closed',
		'The first answer counts, and an expired form took the timeout branch of its node. Do not submit it again. Follow the run instead.',
	),
	formNotFound: row(
		'Dify does not find the form',
		'Check the form token, and the key of the credential: it must be that of the app whose run waits. A form that goes out by e-mail only cannot be answered over the API.',
	),
	formRejected: row(
		'Dify refuses the answer to the form',
		'Check the values against the fields of the form, and the action against its buttons. The form is still open.',
	),
	dataset: row(
		'The knowledge base or document does not allow this',
		'Check the state of the knowledge base or document in Dify.',
	),
	datasetNotFound: row(
		'Dify does not find the knowledge base',
		'It was deleted, or belongs to another workspace than the key. Choose it anew.',
	),
	noPipeline: row(
		'The knowledge base has no pipeline',
		'Choose a knowledge base that was made from a pipeline, or use the operations of the resource Document.',
	),
	notIndexed: row(
		'The knowledge base is empty or still being indexed',
		'Add documents first, and wait until they are indexed.',
	),
	archived: row('The document is archived', 'Take it out of the archive with Set Status first.'),
	knowledgeApiOff: row(
		'The API of this knowledge base is switched off in Dify',
		'Open the knowledge base in Dify and switch on "API access" (below its settings), then try again. The key is fine.',
	),
	knowledgeRate: row(
		'The plan of Dify Cloud allows no more requests to knowledge bases this minute',
		'Wait a minute, then go on. Creating, changing, deleting and retrieving count; lists do not. Nothing was done. The key is fine.',
	),
	documentBusy: row(
		'The document or chunk is still being worked on in Dify',
		'Wait until it is indexed (Get Status can wait for it), then try again. Nothing was changed.',
	),
	nameTaken: row('The name is taken in Dify', 'Choose another name, or use what has it already.'),
	indexingFailed: row(
		'Dify could not index the document',
		'The document stays in the knowledge base with the status "error". Correct what the text of Dify names, then send the document again under the same name.',
	),
	indexingStuck: row(
		'The worker of Dify does not take up the document',
		'Check that the worker container of Dify runs and is not busy (docker compose ps, docker compose logs worker). The document stays in its queue: it is indexed when the worker comes to it, so do not send it again.',
	),
	wrongPath: row(
		'There is no Dify API at this path',
		'Check the Base URL in the credential: it must lead to the API of Dify and usually ends in /v1. If it is right, an ID has the wrong form, or this version of Dify does not have the function.',
	),
	notAnApi: row(
		'A web page answers here, not the API of Dify',
		'The Base URL probably leads to the web front end of Dify. Use the address shown under API Access in Dify; it usually ends in /v1.',
	),
	wrongServer: row(
		'Another program answers here, not Dify',
		'Check the host, the port and the path of the Base URL. Use the address shown under API Access in Dify; it usually ends in /v1.',
	),
	redirect: ({ location, url }) => ({
		title: 'The server redirects this request',
		meaning: redirection(url, location?.replace(/[?#].*$/s, '')),
		remedy:
			'If that is your Dify, use its address as the Base URL, with the right scheme (http or https). The key and what you send go to the origin of the Base URL only.',
	}),
	serverError: ({ startsRun }) => ({
		title: 'Dify failed with an error of its own',
		remedy: `Look at the logs of its API container (docker compose logs api).${mayHaveStarted(startsRun)}`,
	}),
	gateway: ({ status }) => ({
		title: `A proxy answers${status === undefined ? '' : ` with ${status}`}, but Dify behind it does not answer`,
		remedy: `${isCloudflare(status) ? 'The statuses from 520 on are those of Cloudflare: check that Dify runs, and that the connection from Cloudflare to it is up.' : 'Check that Dify runs (docker compose ps); it may also be too slow for the proxy.'}`,
	}),
	emptyAnswer: row(
		'Dify answered without content',
		'Check the Base URL and the proxies in front of Dify.',
	),
} satisfies Readonly<Record<string, Row>>;

function mayHaveStarted(startsRun: RemedyFacts['startsRun']): string {
	return startsRun === true
		? ' A run may have been started: check the logs of the app before you send it again.'
		: '';
}
