import { parseOptionalUuid } from '../../lib/dify/client';
import type { ConversationChoice } from '../../lib/dify/run/start-run';
import {
	conversationField,
	userField,
	readRawUser,
	fetchFilesFromField,
	onPauseField,
	readRunOptions,
	RUN_OPTIONS,
	RETRY_CONDITION,
} from '../shared/dify/dify-operation';
import { tryOrUndefined } from '../../lib/values';
import {
	choiceField,
	toOptions,
	longTextField,
	booleanField,
	multiChoiceField,
	optionsCollection,
	stringField,
} from '../shared/field-builders';
import { isUnset, type NodeParameters } from '../shared/parameters';

export const messageFields = [
	longTextField('Query', 'query', 4, {
		default: '={{ $json.chatInput }}',
		required: true,
		description: 'The message to send to the app. Sent unchanged.',
	}),
	userField,
	choiceField('Conversation', 'conversation', 'auto', {
		options: toOptions({
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
		}),
		description:
			'Which conversation the message belongs to. Dify stores the history; n8n stores nothing.',
	}),
	conversationField({ displayOptions: { show: { conversation: ['byId'] } } }),
];

type Conversation = 'auto' | 'new' | 'latest' | 'byId';

/** Automatic is the latest conversation of the chat session, which is a separate user in Dify. */
function readConversationMode(parameters: NodeParameters) {
	const choice = parameters.choice<Conversation>('conversation');
	if (choice !== 'auto') return choice;
	const { sessionId } = parameters.item();
	return !isUnset(sessionId) && readRawUser(parameters) === sessionId ? 'latest' : 'new';
}

/** The conversation of the item. */
export function readConversation(parameters: NodeParameters): ConversationChoice {
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

const options = [
	stringField('Response Field', 'answerField', {
		default: 'answer',
		displayOptions: { show: { '/simplify': [true] } },
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
	multiChoiceField('Include', 'include', {
		options: toOptions({
			thoughts: ['Agent Thoughts', "The agent's thoughts, the tools it called, and their results"],
			files: ['Files', 'Files of the response as binary fields "file_0", "file_1" and so on'],
			sources: ['Sources', 'The knowledge base chunks that the response is based on'],
			workflow: ['Workflow Nodes', 'The chatflow run with the inputs and outputs of each node'],
		}),
		description: 'What to add to the output item',
	}),
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
	choiceField('When Conversation Is Unavailable', 'onStaleConversation', 'error', {
		options: toOptions({
			error: 'Fail',
			startNew: [
				'Start New Conversation',
				'The output item then includes "conversationRestarted" and the new ID',
			],
		}),
		description:
			'What to do if the conversation was deleted, is closed, or belongs to another user',
	}),
	onPauseField('What to do when a chatflow pauses for human input'),
	{
		...RUN_OPTIONS.workflowId,
		description:
			'ID of a published version of the chatflow. Leave empty to use the latest version.',
	},
];

export const optionsField = optionsCollection(options);

/** Optional parts of the item. */
export type IncludedPart = 'files' | 'sources' | 'thoughts' | 'workflow';

export function readOptions(parameters: NodeParameters) {
	return {
		answerField: parameters.string('options.answerField') || 'answer',
		autoGenerateName: parameters.boolean('options.autoGenerateName', undefined),
		include: parameters.choices<IncludedPart>('options.include'),
		onPause: parameters.choice<'return' | 'error'>('options.onPause', 'return'),
		onStaleConversation: parameters.choice<'error' | 'startNew'>(
			'options.onStaleConversation',
			'error',
		),
		...readRunOptions(parameters),
	};
}
