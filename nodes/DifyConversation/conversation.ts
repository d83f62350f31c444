import { buildConversationList } from '../../lib/dify/app/conversations';
import { apiPath } from '../../lib/dify/ids';
import { conversationField, userField } from '../shared/dify/fields';
import { readConversationId, readUser } from '../shared/dify/ids';
import { defineListOperation, defineRequestOperation } from '../shared/dify/define-operation';
import {
	booleanField,
	choiceField,
	toOptions,
	optionsCollection,
	stringField,
} from '../shared/field-builders';

/** A language model generates the name. */
const MODEL_TIMEOUT_MS = 120_000;

export const conversationGetAll = defineListOperation({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many conversations',
		description: 'List the conversations that a user started through the API',
	},
	fields: [userField],
	extraFields: [
		optionsCollection([
			choiceField('Sort By', 'sortBy', '-updated_at', {
				options: toOptions({
					'-created_at': 'Created, Newest First',
					created_at: 'Created, Oldest First',
					'-updated_at': 'Updated, Newest First',
					updated_at: 'Updated, Oldest First',
				}),
			}),
		]),
	],
	list: (parameters) =>
		buildConversationList(readUser(parameters), parameters.choice('options.sortBy', '-updated_at')),
});

export const conversationRename = defineRequestOperation({
	option: {
		name: 'Rename',
		value: 'rename',
		action: 'Rename a conversation',
		description: 'Enter a name, or let Dify generate one',
	},
	fields: [
		userField,
		conversationField({ required: true }),
		booleanField('Generate Name', 'autoGenerate', false, {
			description: 'Whether a model generates the name from the messages of the conversation',
		}),
		stringField('Name', 'name', {
			required: true,
			displayOptions: { show: { autoGenerate: [false] } },
		}),
	],
	timeoutMs: MODEL_TIMEOUT_MS,
	request: (parameters) => {
		const isGenerated = parameters.boolean('autoGenerate');
		const name = isGenerated ? {} : { name: parameters.rawString('name') };
		const body = { ...name, auto_generate: isGenerated, user: readUser(parameters) };
		return ['POST', apiPath`/conversations/${readConversationId(parameters)}/name`, body];
	},
});

export const conversationDelete = defineRequestOperation({
	option: { name: 'Delete', value: 'delete', action: 'Delete a conversation' },
	fields: [userField, conversationField({ required: true })],
	request: (parameters) => {
		const id = readConversationId(parameters);
		return ['DELETE', apiPath`/conversations/${id}`, { user: readUser(parameters) }];
	},
	toItems: (_response, parameters) => ({
		conversationId: readConversationId(parameters),
		deleted: true,
	}),
});
