/** The fields and the operation of Dify Chat Message. */
import { withAbsoluteUrl } from '../../lib/dify/output-files';
import type { ConversationChoice } from '../../lib/dify/run/send-chat-message';
import { sendChatMessage } from '../../lib/dify/run/send-chat-message';
import { prepareRun } from '../shared/dify/prepare-run';
import { filesField } from '../shared/dify/run-files';
import { inputFields } from '../shared/dify/run-inputs';
import type { DifyCall, DifyOperation } from '../shared/dify/dify-operation';
import { reportRun } from '../shared/dify/report-run';
import {
	simplifyField,
	conversationField,
	fetchFilesFromField,
	onPauseField,
	RUN_OPTIONS,
	RETRY_CONDITION,
} from '../shared/dify/dify-fields';
import { isSessionUser, readUser, userField, readRawUser } from '../shared/dify/dify-user';
import {
	storeResultFiles,
	createPausedError,
	getEmailFormWarnings,
	getPauseHints,
	showPause,
	toPlainObject,
	toSimpleForm,
} from '../shared/dify/run-output';
import type { OperationTable } from '../shared/run/operation-table';
import type { NodeParameters } from '../shared/parameters';
import { parseOpenAiUsage } from '../../lib/chat/read/usage';
import { getChatFiles } from '../shared/run/chat-files';
import type { RunResult } from '../../lib/dify/types';
import { omitEmpty, isUnset } from '../../lib/values/records';
import { tryOrUndefined } from '../../lib/values/try-or-undefined';
import { parseOptionalUuid } from '../../lib/dify/ids';
import {
	choiceField,
	longTextField,
	booleanField,
	multiChoiceField,
	optionsCollection,
	stringField,
	shownIf,
} from '../shared/field-builders';

const messageFields = [
	longTextField('Query', 'query', 4, {
		default: '={{ $json.chatInput }}',
		required: true,
		description: 'The message to send to the app. Sent unchanged.',
	}),
	userField,
	choiceField(
		'Conversation',
		'conversation',
		'auto',
		{
			auto: [
				'Automatic',
				'With a Chat Trigger, one conversation per chat session, unless User names another user. Otherwise a new conversation.',
			],
			byId: [
				'Existing',
				'Continue the given conversation. If the ID is empty, a new one is started.',
			],
			latest: [
				'Latest of User',
				"Continue the user's most recent conversation, or start the first one. Dify looks it up.",
			],
			new: ['New', 'Start a new conversation for each item'],
		},
		'Which conversation the message belongs to. Dify stores the history; n8n stores nothing.',
	),
	conversationField(shownIf('conversation', 'byId')),
];

type Conversation = 'auto' | 'new' | 'latest' | 'byId';

/** Automatic is the latest conversation of the chat session, which is a separate user in Dify. */
function readConversationMode(parameters: NodeParameters) {
	const choice = parameters.choice<Conversation>('conversation');
	if (choice !== 'auto') return choice;
	return isSessionUser(parameters) ? 'latest' : 'new';
}

/** The conversation of the item. */
function readConversation(parameters: NodeParameters): ConversationChoice {
	const choice = readConversationMode(parameters);
	if (choice === 'latest') return { type: 'latest' };
	const id =
		choice === 'byId'
			? parseOptionalUuid(parameters.value('conversationId'), 'conversation ID')
			: undefined;
	return id === undefined ? { type: 'new' } : { type: 'id', id };
}

/** Key of the item's conversation. Messages of one conversation are sent in order. */
export function getConversationKey(parameters: NodeParameters): string | undefined {
	const choice = tryOrUndefined(() => readConversationMode(parameters));
	if (choice === 'latest') return `latest ${String(readRawUser(parameters))}`;
	const id = choice === 'byId' ? parameters.value('conversationId') : undefined;
	return typeof id === 'string' && id.trim() !== '' ? id.trim().toLowerCase() : undefined;
}

const optionFields = [
	stringField('Response Field', 'answerField', {
		default: 'answer',
		...shownIf('/simplify', true),
		description:
			'Name of the field that contains the response. With a Chat Trigger, the item also has "output", which the chat shows.',
	}),
	booleanField(
		'Automatic Conversation Name',
		'autoGenerateName',
		true,
		'Whether Dify generates a name for a new conversation with a model',
	),
	RUN_OPTIONS.enableStreaming,
	fetchFilesFromField('files of the response'),
	RUN_OPTIONS.idleTimeout,
	multiChoiceField(
		'Include',
		'include',
		{
			thoughts: ['Agent Thoughts', "The agent's thoughts, the tools it called, and their results"],
			files: ['Files', 'Files of the response as binary fields "file_0", "file_1" and so on'],
			sources: ['Sources', 'The knowledge base chunks that the response is based on'],
			workflow: ['Workflow Nodes', 'The chatflow run with the inputs and outputs of each node'],
		},
		'What to add to the output item',
	),
	{
		...RUN_OPTIONS.maxConcurrentItems,
		description:
			'How many items to process at the same time. Messages of the same conversation are still sent one after another, and the output keeps the order of the input. Expressions are evaluated for the first item only.',
	},
	{
		...RUN_OPTIONS.maxRetries,
		description: `How often to resend a message ${RETRY_CONDITION}`,
	},
	RUN_OPTIONS.totalTimeout,
	RUN_OPTIONS.traceId,
	choiceField(
		'When Conversation Is Unavailable',
		'onStaleConversation',
		'error',
		{
			error: 'Fail',
			startNew: [
				'Start New Conversation',
				'The output item then includes "conversationRestarted" and the new ID',
			],
		},
		'What to do if the conversation was deleted, is closed, or belongs to another user',
	),
	onPauseField('What to do when a chatflow pauses for human input'),
	{
		...RUN_OPTIONS.workflowId,
		description:
			'ID of a published version of the chatflow. Leave empty to use the latest version.',
	},
];

/** Optional parts of the item. */
type IncludedPart = 'files' | 'sources' | 'thoughts' | 'workflow';

interface MessageOptions {
	/** Later nodes need the same user. */
	user: string;
	simplify: boolean;
	/** Whether the item is from a chat, which shows the field "output" of the last node. */
	isChat: boolean;
	/** Name of the field with the response. */
	answerField: string;
	autoGenerateName: boolean | undefined;
	include: readonly IncludedPart[];
	onPause: 'return' | 'error';
	onStaleConversation: 'error' | 'startNew';
}

function readOptions(parameters: NodeParameters): MessageOptions {
	return {
		user: readUser(parameters),
		simplify: parameters.boolean('simplify'),
		isChat: !isUnset(parameters.item().sessionId),
		answerField: parameters.string('options.answerField') || 'answer',
		autoGenerateName: parameters.boolean('options.autoGenerateName', undefined),
		include: parameters.choices<IncludedPart>('options.include'),
		onPause: parameters.choice('options.onPause', 'return'),
		onStaleConversation: parameters.choice('options.onStaleConversation', 'error'),
	};
}

const [inputsMode, ...inputValues] = inputFields;

const fields = [
	...messageFields,
	{
		...inputsMode!,
		description:
			"The variables of the app's form. Dify requires them on every turn, also in an existing conversation.",
	},
	...inputValues,
	{
		...filesField,
		description:
			'Files to send with the message. File upload must be enabled in the app. With a Chat Trigger and no entry here, the files of the chat message are sent if the app accepts them.',
	},
	simplifyField,
	optionsCollection(optionFields),
];

/** The node's only operation, without an operation field. */
const send: DifyOperation = {
	name: 'Send',
	value: 'send',
	fields,
	getSequenceKey: getConversationKey,
	execute: sendMessage,
};

export const operations: OperationTable<DifyOperation> = {
	properties: fields,
	subtitle:
		'={{ { auto: "automatic conversation", new: "new conversation", latest: "latest conversation", byId: "existing conversation" }[$parameter.conversation] }}',
	getOperation: () => send,
};

async function sendMessage(call: DifyCall) {
	const { client, parameters } = call;
	const options = readOptions(parameters);
	const query = parameters.rawString('query');
	const conversation = readConversation(parameters);
	const chatFiles = getChatFiles(call);
	const runRequest = await prepareRun(call, { user: options.user, chatFiles });
	const keepsNodeValues = options.include.includes('workflow');
	const request = { ...options, ...runRequest, query, conversation, keepsNodeValues };
	const { result: runResult, conversationRestarted } = await sendChatMessage(client, request);
	const files = runResult.files.map((file) => withAbsoluteUrl(client, file));
	const result = { ...runResult, files };
	if (result.status === 'paused' && options.onPause === 'error') {
		throw createPausedError('chatflow', result);
	}
	reportRun(call, result);
	[...getEmailFormWarnings(result), ...getPauseHints(result)].forEach(call.hint);
	await showPause(call, result);
	if (conversationRestarted) {
		call.hint(
			'The conversation could not be continued, so a new one was started. The output contains its ID.',
		);
	}
	const json = toItemJson(result, { ...options, conversationRestarted });
	if (!options.include.includes('files')) return { json };
	const { binary, warnings } = await storeResultFiles(call, { ...result, workflow: undefined });
	warnings.forEach(call.hint);
	return { json, binary };
}

interface OutputOptions extends MessageOptions {
	/** The conversation could not be continued, so a new one was started. */
	conversationRestarted: boolean;
}

function toItemJson(result: RunResult, options: OutputOptions) {
	const { conversationRestarted } = options;
	return toPlainObject({
		...(options.simplify ? toSimplifiedJson(result, options) : toRawJson(result, options)),
		...(conversationRestarted && { conversationRestarted }),
		...toIncludedFields(result, options),
		...(options.isChat && { output: result.text }),
	});
}

/** The response, and what later nodes need. */
function toSimplifiedJson(result: RunResult, options: OutputOptions) {
	const { conversationId, messageId, reasoning, files, status, workflowRunId, pause } = result;
	const answer = { [options.answerField]: result.text };
	return {
		...answer,
		conversationId,
		messageId,
		user: options.user,
		...omitEmpty({ reasoning, files }),
		usage: parseOpenAiUsage(result.usage),
		...(status !== 'succeeded' && { status }),
		// As in Dify Workflow, whose operations submit the forms and follow the run.
		...(pause && { workflowRunId, forms: pause.forms.map(toSimpleForm) }),
		// Twice: above, to be first; here, to replace another field with the same name.
		...answer,
	};
}

/** The result in Dify's fields, like a blocking response, plus the data of the stream. */
function toRawJson(result: RunResult, { user }: OutputOptions) {
	return {
		event: result.status === 'paused' ? 'workflow_paused' : 'message',
		task_id: result.taskId,
		id: result.messageId,
		message_id: result.messageId,
		conversation_id: result.conversationId,
		workflow_run_id: result.workflowRunId,
		user,
		status: result.status,
		answer: result.text,
		metadata: result.metadata ?? {},
		files: result.files,
		...omitEmpty({ reasoning: result.reasoning }),
		created_at: result.createdAt,
		...(result.pause && {
			forms: result.pause.forms,
			data: { ...toSnakeCase(result.pause), forms: result.pause.forms.map(toSnakeCase) },
		}),
	};
}

function toSnakeCase(value: object) {
	return Object.fromEntries(
		Object.entries(value).map(([name, field]: [string, unknown]) => [
			name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
			field,
		]),
	);
}

function toIncludedFields(result: RunResult, { include }: OutputOptions) {
	return {
		...(include.includes('sources') && { sources: result.retrieverResources }),
		...(include.includes('thoughts') && { thoughts: result.thoughts }),
		...(include.includes('workflow') && { workflow: result.workflow }),
	};
}
