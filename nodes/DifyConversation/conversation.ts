/** Conversations of a user. */
import { apiPath } from '../../lib/dify/api-path';
import { buildConversationList } from '../../lib/dify/app';
import { omitUndefined } from '../../lib/values/records';
import { readUser, userField } from '../shared/dify/common-fields';
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation } from '../shared/dify/list-operation';
import { defineRequestOperation } from '../shared/dify/request-operation';
import { optionsField } from '../shared/fields/options-field';
import { conversationFields, MODEL_TIMEOUT_MS } from './fields';

export const conversations: DifyResource = {
	name: 'Conversation',
	value: 'conversation',
	operations: [
		defineListOperation({
			action: 'Get many conversations',
			description: 'List the conversations that a user started through the API',
			fields: { user: userField },
			extraFields: {
				options: optionsField({
					sortBy: {
						kind: 'choice',
						label: 'Sort By',
						default: '-updated_at',
						choices: {
							'-created_at': 'Created, Newest First',
							created_at: 'Created, Oldest First',
							'-updated_at': 'Updated, Newest First',
							updated_at: 'Updated, Oldest First',
						},
					},
				}),
			},
			list: ({ source, values }) =>
				buildConversationList({ user: readUser(source, values), sortBy: values.options.sortBy }),
			describeEmpty: ({ source, values }) =>
				`The app has no conversations of the user "${readUser(source, values)}" that were started through the API. If there should be some, enter their user in User.`,
		}),
		defineRequestOperation({
			name: 'Rename',
			value: 'rename',
			action: 'Rename a conversation',
			description: 'Enter a name, or let Dify generate one',
			fields: {
				...conversationFields,
				autoGenerate: {
					kind: 'switch',
					label: 'Generate Name',
					default: false,
					description: 'Whether a model generates the name from the messages of the conversation',
				},
				name: {
					kind: 'text',
					label: 'Name',
					required: true,
					shownIf: { autoGenerate: [false] },
				},
			},
			timeoutMs: MODEL_TIMEOUT_MS,
			method: 'POST',
			getPath: ({ values }) => apiPath`/conversations/${values.conversationId}/name`,
			getValues: ({ source, values }) => ({
				...omitUndefined({ name: values.name }),
				auto_generate: values.autoGenerate,
				user: readUser(source, values),
			}),
		}),
		defineRequestOperation({
			name: 'Delete',
			value: 'delete',
			action: 'Delete a conversation',
			fields: conversationFields,
			method: 'DELETE',
			getPath: ({ values }) => apiPath`/conversations/${values.conversationId}`,
			getValues: ({ source, values }) => ({ user: readUser(source, values) }),
			toItems: (_response, { values: { conversationId } }) => ({ conversationId, deleted: true }),
		}),
	],
};
