/** Messages of a conversation. */
import { apiPath } from '../../lib/dify/api-path';
import { asArray } from '../../lib/values/records';
import { messageIdField, readUser, userField } from '../shared/dify/common-fields';
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation } from '../shared/dify/list-operation';
import { defineRequestOperation } from '../shared/dify/request-operation';
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
			list: ({ source, values }) => ({
				path: '/messages',
				query: { conversation_id: values.conversationId, user: readUser(source, values) },
				cursor: 'first_id',
			}),
		}),
		defineRequestOperation({
			name: 'Get Suggested Questions',
			value: 'getSuggested',
			action: 'Get suggested questions',
			description:
				'Get questions the user might ask next; a model generates them, which uses tokens',
			fields: {
				user: userField,
				messageId: messageIdField('ID of the message to suggest follow-up questions for'),
			},
			timeoutMs: MODEL_TIMEOUT_MS,
			method: 'GET',
			getPath: ({ values }) => apiPath`/messages/${values.messageId}/suggested`,
			getValues: ({ source, values }) => ({ user: readUser(source, values) }),
			toItems: ({ data }, { values: { messageId } }) => ({
				messageId,
				questions: asArray(data).filter((question) => typeof question === 'string'),
			}),
		}),
	],
};
