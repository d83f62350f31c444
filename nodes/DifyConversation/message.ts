import { path } from '../../lib/dify/ids';
import { asList } from '../../lib/values';
import { conversationField, messageField, userField } from '../shared/dify/fields';
import { conversationIdIn, messageIdIn, userIn } from '../shared/dify/ids';
import { listRow, row } from '../shared/dify/define-operation';

/** A language model generates the questions. */
const MODEL_LIMIT_MS = 120_000;

export const messageGetAll = listRow({
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
		query: { conversation_id: conversationIdIn(parameters), user: userIn(parameters) },
		cursor: 'first_id',
	}),
});

export const messageGetSuggested = row({
	option: {
		name: 'Get Suggested Questions',
		value: 'getSuggested',
		action: 'Get suggested questions',
		description: 'Get questions the user might ask next; a model generates them, which uses tokens',
	},
	fields: [userField, messageField('ID of the message to suggest follow-up questions for')],
	limitMs: MODEL_LIMIT_MS,
	request: (parameters) => {
		const messageId = messageIdIn(parameters);
		return ['GET', path`/messages/${messageId}/suggested`, { user: userIn(parameters) }];
	},
	items: ({ data }, parameters) => ({
		messageId: messageIdIn(parameters),
		questions: asList(data).filter((question) => typeof question === 'string'),
	}),
});
