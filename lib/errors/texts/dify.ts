import type { ErrorTextSource } from './error-text';
import { isCloudflare, describeRedirect } from './network';

const PROVIDER = 'in Dify (Settings, Model Provider)';
const CREDENTIAL_IS_FINE = 'The API key of the "Dify API" credential is fine.';
const RUN_MAY_HAVE_STARTED =
	' A run may have started: check the logs of the app before you send the request again.';

/**
 * Errors of Dify, explained for users of n8n. Facts from docs/protocols/dify.md 1.3, 2, 5 and 6.
 */
export const DIFY_ERROR_TEXTS = {
	unauthorized: ({ isKeyMissing }) =>
		`${isKeyMissing ? 'Dify requires an API key, but the credential has none' : 'Dify rejected the API key'}
		Copy the API key again from API Access of the app in Dify into the "Dify API" credential. An app key ("app-…") works only for its own app; knowledge bases need a knowledge key ("dataset-…").`,
	forbidden: `Dify does not allow this action
		The key is valid, but Dify rejected this action. Check the app and the plan in Dify.`,
	appDisabled: `The API of this app is disabled in Dify
		Enable "Backend service API" for this app in Dify (app overview), then try again.`,
	appInactive: `The app of this key is no longer available
		The app or its workspace was deleted, archived or blocked in Dify. Use the key of an active app.`,
	appUnavailable: `The app has no model, is not published, or is of another type
		Open the app in Dify, select a model and publish it. If the app works in Dify, its type does not match: only chatbots, agents and chatflows accept messages.`,
	notPublished: `The app has not been published
		Publish the app in Dify: the API runs the published version, never the draft.`,
	wrongAppType: `The app of this key is of another type
		It may be a text generator or a workflow. Use the key of a chatbot, agent or chatflow.`,
	conversationEnded: `The conversation is closed in Dify
		Start a new conversation: leave the conversation ID empty.`,
	conversationNotFound: `Dify cannot find the conversation
		It was deleted, or belongs to another user, another app or the Dify web app. Use the user of its first message, or start a new conversation (Dify Chat Message: "When Conversation Is Unavailable").`,
	messageNotFound: `Dify cannot find the message
		It was deleted, belongs to another user or app, or was not created through the API. Use the message ID and the user of the original response.`,
	startsWithTrigger: `The workflow starts with a trigger
		It cannot be run through the API: call its webhook with an HTTP Request node, or replace the trigger with a start node (User Input) and publish the workflow.`,
	workflowVersionNotFound: `Dify cannot find this version of the app
		Enter the ID of a published version of this app (not the app ID or a run ID). Leave the field empty to use the latest published version.`,
	runNotFound: `Dify cannot find the run
		Check the workflow run ID (not the task ID), and use the user who started the run.`,
	fileNotFound: `Dify cannot find the file
		A file can be downloaded only after a message of this app has used it. Check the file ID and the key.`,
	notFound: `Dify cannot find the requested object
		Check the ID: the object may have been deleted, or belong to another app, user or knowledge base.`,
	missingUser: `The user is missing
		Enter a user: Dify separates conversations, messages and files by user and requires one for every run.`,
	emptyQuery: `The query is empty
		Enter a query.`,
	invalidInputs: `The inputs do not match the form of the app
		Check the inputs against the form of the app in Dify. Required inputs must be sent on every turn, also in an existing conversation.`,
	invalidId: `The ID is not valid
		Enter the ID as shown in Dify, a UUID such as 1c7e55fb-1ba2-4e10-81b5-30addcea2276.`,
	invalidParam: ({ isEmpty }) =>
		`Dify rejected a value in the request
		${isEmpty ? 'Dify returned no reason. Check the fields of the node, and the type and size of files.' : 'Correct the value named in the Dify message.'}`,
	nothingToRevoke: `There is no rating to remove
		This user has not rated this message.`,
	providerKeyInvalid: `Dify has no valid API key for the model provider
		Set the API key of the model provider ${PROVIDER}. ${CREDENTIAL_IS_FINE}`,
	providerQuotaExceeded: `The model credits of this Dify workspace are used up
		Add your own API key of the model provider ${PROVIDER}, or upgrade the plan.`,
	modelUnsupported: `Dify cannot use the model of the app
		Select another model in the app, or add your own API key of the model provider ${PROVIDER}.`,
	providerError: `The model behind Dify rejected the request or failed
		Dify works, but the model provider returned an error: check the model server, and the key, quota and model of the provider ${PROVIDER}. ${CREDENTIAL_IS_FINE}`,
	providerUnreachable: `Dify could not connect to its model, or lost the connection
		The model server behind Dify may be down, or have crashed during the response: check its log. Check its address ${PROVIDER} as seen from the Dify containers. ${CREDENTIAL_IS_FINE}`,
	pluginDaemonError: `The plugin daemon of Dify is not working
		Dify runs models as plugins, and the plugin service is down or still starting. Check docker compose ps and docker compose logs plugin_daemon, then try again.`,
	providerNotInstalled: `The model provider of the app is not installed in Dify
		Install the plugin of the provider in Dify (Plugins), or select a model of another provider in the app and publish it.`,
	providerModelNotFound: `Dify does not have the model of the app
		The model was removed from its provider in Dify, or the plugin daemon of Dify is down: check Settings, Model Provider, select an available model and publish the app.`,
	agentBackendUnreachable: `The agent backend of Dify does not respond
		New Agents run in a separate service. Check its container in the Dify installation (docker compose ps) and its log. The model server receives no request before that.`,
	fileUnreachable: `Dify cannot download a file from its URL
		Dify downloads the file itself, so the URL must be reachable from the Dify containers: localhost or an address inside the n8n network is not. Check the URL, or send the file as binary data.`,
	busy: `The app has reached its limit of concurrent requests
		Try again later, lower Max Concurrent Items, or raise the limit of the app in Dify, which counts a streamed chatflow or workflow twice. A proxy in front of Dify may also limit the request rate.`,
	agentLimitReached: `The agent reached its run limit
		Raise the limit in the agent settings in Dify, or give the agent a smaller task. The details contain what it produced.`,
	quotaExceeded: `This Dify workspace has used all runs of its plan
		Wait for the next period or upgrade the plan.`,
	planLimitReached: `The plan of this Dify workspace does not allow more of these
		Upgrade the plan, or delete what you no longer need. The API key is fine.`,
	runFailed: `The run failed in Dify
		Open the run in the logs of the app in Dify: they show each node with its input and output. The cause may be the inputs, the files or the workflow.`,
	streamEndedEarly: `The response from Dify ended before it was complete
		The run may have continued in Dify: chatflows and agents do. The details contain the text received so far. If this happens often, check the timeouts of proxies between n8n and Dify.`,
	runTimeout: ({ isRunStart }) =>
		`A timeout was reached
		Raise the timeout in the options, or check the logs of the app in Dify. If only pings arrived, check the worker container (docker compose ps); if nothing arrived, turn off buffering in the proxy (nginx: proxy_buffering off).${isRunStart ? RUN_MAY_HAVE_STARTED : ''}`,
	runQueued: `The run is waiting in the Dify queue
		The run may still start later: check the logs of the app in Dify before you send the message again. Check that the worker container is running, and add workers if it is busy (CELERY_WORKER_AMOUNT).`,
	requestTooLarge: `The file is too large
		Send a smaller file, or raise the limit of the proxy in front of Dify (Dify settings: NGINX_CLIENT_MAX_BODY_SIZE) and of Dify itself (UPLOAD_FILE_SIZE_LIMIT).`,
	fileTypeNotAllowed: `Dify does not accept this file type here
		Check the MIME type of the binary data and the file types allowed in the app.`,
	fileRejected: `The file was rejected
		Check the file against the file upload settings of the app: name, type and number of files. Use the same user for upload and run.`,
	appFeatureDisabled: `This feature is disabled in the app
		Enable the feature in the app in Dify, publish it, and make sure that a model is configured for it.`,
	formClosed: `The form is closed
		Only the first submission counts, and an expired form takes the timeout branch of its node. Use Follow to see how the run continues.`,
	formNotFound: `Dify cannot find the form
		Check the form token, and that the API key belongs to the app of the paused run. A form that is sent by email only cannot be submitted through the API.`,
	formRejected: `Dify rejected the submitted form
		Check the values against the fields of the form, and the action against its buttons. The form is still open.`,
	datasetRejected: `The knowledge base or document does not allow this action
		Check the status of the knowledge base or document in Dify.`,
	datasetNotFound: `Dify cannot find the knowledge base
		It was deleted, or belongs to another workspace than the key. Select it again.`,
	pipelineNotFound: `The knowledge base has no pipeline
		Select a knowledge base that was created from a pipeline, or use the operations of the resource Document.`,
	documentNotIndexed: `The knowledge base is empty or still indexing
		Add documents first, and wait until they are indexed.`,
	documentArchived: `The document is archived
		Unarchive it with Set Status first.`,
	datasetApiDisabled: `The API of this knowledge base is disabled in Dify
		Open the knowledge base in Dify and enable "API access" (below its settings), then try again. The API key is fine.`,
	datasetRateLimited: `The Dify Cloud plan allows no more knowledge base requests this minute
		Wait a minute, then try again. Creating, changing, deleting and retrieving count; lists do not. Nothing was changed. The API key is fine.`,
	documentBusy: `Dify is still processing the document or chunk
		Wait until it is indexed (Get Status can wait for it), then try again. Nothing was changed.`,
	nameTaken: `The name is already in use in Dify
		Enter another name, or use the existing object.`,
	indexingFailed: `Dify could not index the document
		The document stays in the knowledge base with the status "error". Fix the problem named in the Dify message, then send the document again under the same name.`,
	indexingStuck: `The Dify worker has not started on the document
		Check that the worker container of Dify is running and not busy (docker compose ps, docker compose logs worker). The document stays in the queue and will be indexed, so do not send it again.`,
	routeNotFound: `No Dify API was found at this path
		Check the Base URL in the credential: it must point to the Dify API and usually ends in /v1. If it is correct, an ID is malformed, or this version of Dify does not support the operation.`,
	notAnApi: `The Base URL returns a web page, not the Dify API
		The Base URL probably points to the Dify web app. Use the address shown under API Access in Dify; it usually ends in /v1.`,
	wrongServer: `Another program responds at the Base URL, not Dify
		Check the host, port and path of the Base URL. Use the address shown under API Access in Dify; it usually ends in /v1.`,
	unexpectedRedirect: ({ url, location }) =>
		describeRedirect('Dify', url, location?.replace(/[?#].*/s, '')),
	serverError: ({ isRunStart }) =>
		`Dify returned an internal error
		Check the logs of the API container (docker compose logs api).${isRunStart ? RUN_MAY_HAVE_STARTED : ''}`,
	badGateway: ({ status = 0 }) =>
		`A proxy responds[ with {status}], but Dify behind it does not
		${isCloudflare(status) ? 'Status codes from 520 on come from Cloudflare: check that Dify is running, and that the connection from Cloudflare to it is up.' : 'Check that Dify is running (docker compose ps); it may also be too slow for the proxy.'}`,
	emptyResponse: `Dify returned an empty response
		Check the Base URL and the proxies in front of Dify.`,
} satisfies Readonly<Record<string, ErrorTextSource>>;
