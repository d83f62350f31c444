import { path } from '../../lib/dify/ids';
import { asList } from '../../lib/values';
import { conversationField, messageField, userField } from '../shared/dify/fields';
import { conversationIdIn, messageIdIn, userIn } from '../shared/dify/ids';
import { listRow, row } from '../shared/dify/rows';

/** A language model generates the questions. */
const MODEL_LIMIT_MS = 120_000;

export const messageGetAll = listRow({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many messages',
		description: 'Questions, answers, files and ratings, oldest first. A limit gives the newest.',
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
		description: 'What the user might ask next. A model writes them, which takes time and tokens.',
	},
	fields: [userField, messageField('ID of the answer after which the user might ask more')],
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
