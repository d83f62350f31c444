/** Messages of a conversation. */
import { asArray } from '../../lib/values/records';
import { messageField, readId } from '../shared/dify/dify-fields';
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation, defineRequestOperation } from '../shared/dify/define-operation';
import { readUser, userField } from '../shared/dify/dify-user';
import { conversationFields, MODEL_TIMEOUT_MS } from './fields';

export const messages: DifyResource = {
	name: 'Message',
	value: 'message',
	operations: [
		defineListOperation({
			action: 'Get many messages',
			description:
				'Messages with responses, files and ratings, oldest first. Limit returns the newest.',
			fields: conversationFields,
			list: (parameters) => ({
				path: '/messages',
				query: {
					conversation_id: readId(parameters, 'conversationId'),
					user: readUser(parameters),
				},
				cursor: 'first_id',
			}),
		}),
		defineRequestOperation({
			name: 'Get Suggested Questions',
			value: 'getSuggested',
			action: 'Get suggested questions',
			description:
				'Get questions the user might ask next; a model generates them, which uses tokens',
			fields: [userField, messageField('ID of the message to suggest follow-up questions for')],
			timeoutMs: MODEL_TIMEOUT_MS,
			request: 'GET /messages/{messageId}/suggested',
			getValues: (parameters) => ({ user: readUser(parameters) }),
			toItems: ({ data }, parameters) => ({
				messageId: readId(parameters, 'messageId'),
				questions: asArray(data).filter((question) => typeof question === 'string'),
			}),
		}),
	],
};
