/** Conversations, variables and messages of a Dify app. */
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation, defineRequestOperation } from '../shared/dify/dify-operation';
import { conversationField, readId, messageField } from '../shared/dify/dify-fields';
import { userField, readUser } from '../shared/dify/dify-user';
import {
	createListSearch,
	readEditorUser,
	readEditorValue,
	filterByName,
} from '../shared/dify/editor-lists';
import { createResourceTable } from '../shared/run/operations';
import { buildConversationList } from '../../lib/dify/app';
import {
	resourceLocatorField,
	booleanField,
	choiceField,
	optionsCollection,
	stringField,
	shownIf,
} from '../shared/field-builders';
import type { DifyClient, ListEndpoint } from '../../lib/dify/client';
import { fetchAllPages, apiPath, parseOptionalUuid } from '../../lib/dify/client';
import { createLocalError } from '../../lib/dify/errors';
import { toVariableValue, withTypedValue } from '../../lib/dify/variables';
import { asNonEmptyString, asArray } from '../../lib/values/records';

/** A language model generates names and questions. */
const MODEL_TIMEOUT_MS = 120_000;

const conversationFields = [userField, conversationField({ required: true })];

const conversations: DifyResource = {
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
				buildConversationList(
					readUser(parameters),
					parameters.choice('options.sortBy', '-updated_at'),
				),
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
					...(!isGenerated && { name: parameters.rawString('name') }),
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

function buildVariableList(conversationId: string, user: string): ListEndpoint {
	return {
		path: apiPath`/conversations/${conversationId}/variables`,
		query: { user },
		cursor: 'last_id',
	};
}

const variableField = resourceLocatorField('Variable', 'variableId', 'searchVariables', {
	required: true,
});

const [fromList, byId] = variableField.modes!;

const byName = {
	displayName: 'By Name',
	name: 'name',
	type: 'string' as const,
	placeholder: 'e.g. language',
};

const variables: DifyResource = {
	name: 'Variable',
	value: 'variable',
	operations: [
		defineListOperation({
			action: 'Get many variables',
			description: 'List the variables of a chatflow conversation; other apps have none',
			fields: conversationFields,
			list: (parameters) =>
				buildVariableList(readId(parameters, 'conversationId'), readUser(parameters)),
			toItem: withTypedValue,
		}),
		{
			name: 'Update',
			value: 'update',
			action: 'Update a variable',
			description: 'Set a variable of a chatflow conversation',
			fields: [
				...conversationFields,
				{ ...variableField, modes: [fromList!, byName, byId!] },
				stringField(
					'Value',
					'value',
					'The new value. For variables that are not strings, enter JSON: 5, true, [1, 2].',
				),
			],
			run: async ({ client, parameters }) => {
				const nameOrId = parameters.requiredString(
					'variableId',
					'Select the variable from the list, or enter its name or ID.',
				);
				const conversationId = readId(parameters, 'conversationId');
				const user = readUser(parameters);
				const variable = await findVariable(
					client,
					buildVariableList(conversationId, user),
					nameOrId,
				);
				const body = { value: toVariableValue(variable, parameters.value('value')), user };
				const updated = await client.sendJson(
					'PUT',
					apiPath`/conversations/${conversationId}/variables/${variable.id}`,
					body,
					{ isIdempotent: true },
				);
				return { json: withTypedValue(updated) };
			},
		},
	],
};

/** Throws a `ServerError` of type `notFound` with the existing names. */
async function findVariable(client: DifyClient, list: ListEndpoint, nameOrId: string) {
	const variables = await fetchAllPages(client, list);
	const variable =
		variables.find(({ id }) => id === nameOrId) ?? variables.find(({ name }) => name === nameOrId);
	const id = asNonEmptyString(variable?.id);
	if (id !== undefined) return { ...variable, id };
	const names = variables.map(({ name }) => String(name)).join(', ');
	throw createLocalError(
		'notFound',
		`The conversation has no variable "${nameOrId}"`,
		names === ''
			? 'It has no variables: only chatflows have variables.'
			: `Available variables: ${names}.`,
	);
}

/** Variables of the conversation in the node. */
export const searchVariables = createListSearch('app', async ({ context, client, filter }) => {
	const conversationId = parseOptionalUuid(
		readEditorValue(context, 'conversationId'),
		'conversation ID',
	);
	if (conversationId === undefined)
		throw createLocalError(
			'invalidId',
			'The list requires a conversation',
			'Select one under Conversation first, or enter the variable by name.',
		);
	const variables = await fetchAllPages(
		client,
		buildVariableList(conversationId, readEditorUser(context)),
	);
	return filterByName(
		variables.map(({ id, name, value_type: type }) => ({
			name: `${String(name)} (${String(type)})`,
			value: String(id),
		})),
		filter,
	);
});

const messages: DifyResource = {
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

export const operations = createResourceTable([conversations, messages, variables]);
