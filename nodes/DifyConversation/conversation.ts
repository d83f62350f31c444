/** Conversations of a user. */
import { buildConversationList } from '../../lib/dify/app';
import { readId } from '../shared/dify/dify-fields';
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation, defineRequestOperation } from '../shared/dify/define-operation';
import { readUser, userField } from '../shared/dify/dify-user';
import {
	booleanField,
	choiceField,
	optionsCollection,
	shownIf,
	stringField,
} from '../shared/field-builders';
import { conversationFields, MODEL_TIMEOUT_MS } from './fields';

export const conversations: DifyResource = {
	name: 'Conversation',
	value: 'conversation',
	operations: [
		defineListOperation({
			action: 'Get many conversations',
			description: 'List the conversations that a user started through the API',
			fields: [userField],
			extraFields: [
				optionsCollection([
					choiceField('Sort By', 'sortBy', '-updated_at', {
						'-created_at': 'Created, Newest First',
						created_at: 'Created, Oldest First',
						'-updated_at': 'Updated, Newest First',
						updated_at: 'Updated, Oldest First',
					}),
				]),
			],
			list: (parameters) =>
				buildConversationList({
					user: readUser(parameters),
					sortBy: parameters.choice('options.sortBy', '-updated_at'),
				}),
			describeEmpty: (parameters) =>
				`The app has no conversations of the user "${readUser(parameters)}" that were started through the API. If there should be some, enter their user in User.`,
		}),
		defineRequestOperation({
			name: 'Rename',
			value: 'rename',
			action: 'Rename a conversation',
			description: 'Enter a name, or let Dify generate one',
			fields: [
				...conversationFields,
				booleanField(
					'Generate Name',
					'autoGenerate',
					false,
					'Whether a model generates the name from the messages of the conversation',
				),
				stringField('Name', 'name', {
					required: true,
					...shownIf('autoGenerate', false),
				}),
			],
			timeoutMs: MODEL_TIMEOUT_MS,
			request: 'POST /conversations/{conversationId}/name',
			getValues: (parameters) => {
				const isGenerated = parameters.boolean('autoGenerate');
				return {
					...(!isGenerated && { name: parameters.requiredText('name') }),
					auto_generate: isGenerated,
					user: readUser(parameters),
				};
			},
		}),
		defineRequestOperation({
			name: 'Delete',
			value: 'delete',
			action: 'Delete a conversation',
			fields: conversationFields,
			request: 'DELETE /conversations/{conversationId}',
			getValues: (parameters) => ({ user: readUser(parameters) }),
			toItems: (_response, parameters) => ({
				conversationId: readId(parameters, 'conversationId'),
				deleted: true,
			}),
		}),
	],
};
