import { apiPath } from '../../lib/dify/ids';
import { asArray } from '../../lib/values';
import { conversationField, messageField, userField } from '../shared/dify/fields';
import { readConversationId, readMessageId, readUser } from '../shared/dify/ids';
import { defineListOperation, defineRequestOperation } from '../shared/dify/define-operation';

/** A language model generates the questions. */
const MODEL_TIMEOUT_MS = 120_000;

export const messageGetAll = defineListOperation({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many messages',
		description:
			'Messages with responses, files and ratings, oldest first. Limit returns the newest.',
	},
	fields: [userField, conversationField({ required: true })],
	list: (parameters) => ({
		path: '/messages',
		query: { conversation_id: readConversationId(parameters), user: readUser(parameters) },
		cursor: 'first_id',
	}),
});

export const messageGetSuggested = defineRequestOperation({
	option: {
		name: 'Get Suggested Questions',
		value: 'getSuggested',
		action: 'Get suggested questions',
		description: 'Get questions the user might ask next; a model generates them, which uses tokens',
	},
	fields: [userField, messageField('ID of the message to suggest follow-up questions for')],
	timeoutMs: MODEL_TIMEOUT_MS,
	request: (parameters) => {
		const messageId = readMessageId(parameters);
		return ['GET', apiPath`/messages/${messageId}/suggested`, { user: readUser(parameters) }];
	},
	toItems: ({ data }, parameters) => ({
		messageId: readMessageId(parameters),
		questions: asArray(data).filter((question) => typeof question === 'string'),
	}),
});
