/** The fields and the operation of Dify Chat Message. */
import { withAbsoluteUrl } from '../../lib/dify/output-files';
import type { ConversationChoice } from '../../lib/dify/run/send-chat-message';
import { sendChatMessage } from '../../lib/dify/run/send-chat-message';
import { prepareRun } from '../shared/dify/prepare-run';
import { filesField } from '../shared/dify/run-files';
import { inputFields } from '../shared/dify/run-inputs';
import { RETRY_CONDITION, RUN_OPTIONS, onPauseField } from '../shared/dify/run-options';
import {
	conversationLocator,
	isSessionUser,
	readRawUser,
	readUser,
	simplifyField,
	userField,
} from '../shared/dify/common-fields';
import { fetchFilesFromField } from '../shared/dify/file-fields';
import type { DifyCall, DifyOperation } from '../shared/dify/dify-operation';
import { reportRun } from '../shared/dify/report-run';
import {
	storeResultFiles,
	createPausedError,
	getEmailFormWarnings,
	getPauseHints,
	showPause,
	toPlainObject,
	toSimpleForm,
} from '../shared/dify/run-output';
import type { OperationTable } from '../shared/items/operation-table';
import { defineOperation } from '../shared/items/define-operation';
import type { FieldValues } from '../shared/items/define-operation';
import { optionsField } from '../shared/fields/options-field';
import type { ItemSource } from '../shared/fields/item-source';
import { toWrittenText } from '../../lib/fields/check-value';
import type { FieldTable, ValueSource, Values } from '../../lib/fields/field';
import { parseOpenAiUsage } from '../../lib/chat/read/usage';
import type { RunResult } from '../../lib/dify/types';
import { omitEmpty, isUnset } from '../../lib/values/records';
import { tryOrUndefined } from '../../lib/values/try-or-undefined';
import { parseOptionalUuid } from '../../lib/dify/ids';

/** Which conversation a message belongs to. */
export const conversationFields = {
	user: userField,
	conversation: {
		kind: 'choice',
		label: 'Conversation',
		default: 'auto',
		choices: {
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
		description:
			'Which conversation the message belongs to. Dify stores the history; n8n stores nothing.',
	},
	conversationId: {
		...conversationLocator,
		shownIf: { conversation: ['byId'] },
		parse: (value: unknown): string | undefined => parseOptionalUuid(value, 'conversation ID'),
	},
} as const satisfies FieldTable;

type ConversationValues = Values<typeof conversationFields>;

/** Automatic is the latest conversation of the chat session, which is a separate user in Dify. */
function getConversationMode(values: ConversationValues, source: ItemSource) {
	const { conversation: choice } = values;
	if (choice !== 'auto') return choice;
	return isSessionUser(source, values) ? 'latest' : 'new';
}

/** The conversation of the item. */
function readConversation(values: ConversationValues, source: ItemSource): ConversationChoice {
	if (getConversationMode(values, source) === 'latest') return { type: 'latest' };
	const { conversationId: id } = values;
	return id === undefined ? { type: 'new' } : { type: 'id', id };
}

/** Key of the item's conversation. Messages of one conversation are sent in order. */
export function getConversationKey(
	values: ConversationValues,
	source: ItemSource,
): string | undefined {
	const isLatest = tryOrUndefined(() => getConversationMode(values, source)) === 'latest';
	if (isLatest) return `latest ${String(readRawUser(source, values))}`;
	// A wrong value is reported when the item is processed.
	return tryOrUndefined(() => values.conversationId);
}

const fields = {
	query: {
		kind: 'text',
		label: 'Query',
		rows: 4,
		default: '={{ $json.chatInput }}',
		required: true,
		description: 'The message to send to the app. Sent unchanged.',
		// An empty one is checked with the files and inputs that it may be about.
		parse: (value: unknown, source: ValueSource): string => toWrittenText(source, value),
	},
	...conversationFields,
	...inputFields,
	inputsMode: {
		...inputFields.inputsMode,
		description:
			"The variables of the app's form. Dify requires them on every turn, also in an existing conversation.",
	},
	files: {
		...filesField,
		description:
			'Files to send with the message. File upload must be enabled in the app. With a Chat Trigger and no entry here, the files of the chat message are sent if the app accepts them.',
	},
	simplify: simplifyField,
	options: optionsField({
		answerField: {
			kind: 'name',
			label: 'Response Field',
			default: 'answer',
			shownIf: { '/simplify': [true] },
			description:
				'Name of the field that contains the response. With a Chat Trigger, the item also has "output", which the chat shows.',
		},
		autoGenerateName: {
			kind: 'switch',
			label: 'Automatic Conversation Name',
			default: true,
			description: 'Whether Dify generates a name for a new conversation with a model',
		},
		enableStreaming: RUN_OPTIONS.enableStreaming,
		fetchFilesFrom: fetchFilesFromField('files of the response'),
		idleTimeout: RUN_OPTIONS.idleTimeout,
		include: {
			kind: 'choices',
			label: 'Include',
			choices: {
				thoughts: [
					'Agent Thoughts',
					"The agent's thoughts, the tools it called, and their results",
				],
				files: ['Files', 'Files of the response as binary fields "file_0", "file_1" and so on'],
				sources: ['Sources', 'The knowledge base chunks that the response is based on'],
				workflow: ['Workflow Nodes', 'The chatflow run with the inputs and outputs of each node'],
			},
			description: 'What to add to the output item',
		},
		maxConcurrentItems: {
			...RUN_OPTIONS.maxConcurrentItems,
			description:
				'How many items to process at the same time. Messages of the same conversation are still sent one after another, and the output keeps the order of the input. Expressions are evaluated for the first item only.',
		},
		maxRetries: {
			...RUN_OPTIONS.maxRetries,
			description: `How often to resend a message ${RETRY_CONDITION}`,
		},
		totalTimeout: RUN_OPTIONS.totalTimeout,
		traceId: RUN_OPTIONS.traceId,
		onStaleConversation: {
			kind: 'choice',
			label: 'When Conversation Is Unavailable',
			default: 'error',
			choices: {
				error: 'Fail',
				startNew: [
					'Start New Conversation',
					'The output item then includes "conversationRestarted" and the new ID',
				],
			},
			description:
				'What to do if the conversation was deleted, is closed, or belongs to another user',
		},
		onPause: {
			...onPauseField,
			description: 'What to do when a chatflow pauses for human input',
		},
		workflowId: {
			...RUN_OPTIONS.workflowId,
			description:
				'ID of a published version of the chatflow. Leave empty to use the latest version.',
		},
	}),
} as const satisfies FieldTable;

type MessageCall = DifyCall & FieldValues<typeof fields>;

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
	/** From which files may be downloaded besides that of the credential. */
	fileOrigins: readonly string[];
	onPause: 'return' | 'error';
	onStaleConversation: 'error' | 'startNew';
}

function readOptions({ source, values }: MessageCall): MessageOptions {
	const { simplify, options } = values;
	const { include = [], onPause = 'return', onStaleConversation = 'error' } = options;
	return {
		user: readUser(source, values),
		simplify,
		isChat: !isUnset(source.item().sessionId),
		answerField: options.answerField || 'answer',
		autoGenerateName: options.autoGenerateName,
		include,
		fileOrigins: include.includes('files') ? (options.fetchFilesFrom ?? []) : [],
		onPause,
		onStaleConversation,
	};
}

/** The node's only operation, without an operation field. */
const send: DifyOperation = defineOperation({
	name: 'Send',
	value: 'send',
	fields,
	getSequenceKey: getConversationKey,
	execute: sendMessage,
});

export const operations: OperationTable<DifyOperation> = {
	properties: send.fields,
	subtitle:
		'={{ { auto: "automatic conversation", new: "new conversation", latest: "latest conversation", byId: "existing conversation" }[$parameter.conversation] }}',
	getOperation: () => send,
};

async function sendMessage(call: MessageCall) {
	const { client, source, values } = call;
	const options = readOptions(call);
	const { query, files: rows } = values;
	const conversation = readConversation(values, source);
	const runRequest = await prepareRun(call, {
		user: options.user,
		inputs: values,
		files: rows,
		options: values.options,
		sendsChatFiles: true,
	});
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
	const { binary, warnings } = await storeResultFiles(
		call,
		{ ...result, workflow: undefined },
		options.fileOrigins,
	);
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
