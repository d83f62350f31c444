import type { DifyClient } from '../../lib/dify/client';
import { createLocalError } from '../../lib/dify/errors';
import { parseOptionalUuid, apiPath } from '../../lib/dify/ids';
import { fetchAllPages, type ListEndpoint } from '../../lib/dify/pagination';
import { parseJson } from '../../lib/json';
import { asNonEmptyString, toText, type JsonRecord } from '../../lib/values';
import {
	createListSearch,
	readEditorUser,
	readEditorValue,
	filterByName,
} from '../shared/dify/list-search';
import { conversationField, recordLocatorField, userField } from '../shared/dify/fields';
import { readConversationId, readUser } from '../shared/dify/ids';
import { defineListOperation } from '../shared/dify/define-operation';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { stringField } from '../shared/field-builders';

function buildVariableList(conversationId: string, user: string): ListEndpoint {
	return {
		path: apiPath`/conversations/${conversationId}/variables`,
		query: { user },
		cursor: 'last_id',
	};
}

export const variableGetAll = defineListOperation({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many variables',
		description: 'List the variables of a chatflow conversation; other apps have none',
	},
	fields: [userField, conversationField({ required: true })],
	list: (parameters) => buildVariableList(readConversationId(parameters), readUser(parameters)),
});

const variableField = recordLocatorField('Variable', 'variableId', 'searchVariables', {
	required: true,
});
const [fromList, byId] = variableField.modes!;
const byName = {
	displayName: 'By Name',
	name: 'name',
	type: 'string' as const,
	placeholder: 'e.g. language',
};

export const variableUpdate: DifyOperation = {
	option: {
		name: 'Update',
		value: 'update',
		action: 'Update a variable',
		description: 'Set a variable of a chatflow conversation',
	},
	fields: [
		userField,
		conversationField({ required: true }),
		{ ...variableField, modes: [fromList!, byName, byId!] },
		stringField('Value', 'value', {
			description:
				'The new value. For variables that are not strings, enter JSON: 5, true, [1, 2].',
		}),
	],
	run: async ({ client, parameters }) => {
		const nameOrId = parameters.requiredString(
			'variableId',
			'Select the variable from the list, or enter its name or ID.',
		);
		const conversationId = readConversationId(parameters);
		const user = readUser(parameters);
		const variable = await findVariable(client, buildVariableList(conversationId, user), nameOrId);
		const value = parameters.value('value');
		const isText = ['string', 'secret'].includes(String(variable.value_type));
		const parsed = typeof value === 'string' ? (parseJson(value) ?? value) : value;
		const body = { value: isText ? toText(value) : parsed, user };
		const route = apiPath`/conversations/${conversationId}/variables/${variable.id}`;
		return [{ json: await client.sendJson('PUT', route, body, { isIdempotent: true }) }];
	},
};

/** @throws {ServerError} of type `notFound` with the existing names */
async function findVariable(
	client: DifyClient,
	list: ListEndpoint,
	nameOrId: string,
): Promise<JsonRecord & { id: string }> {
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
export const searchVariables = createListSearch(async ({ context, client, filter }) => {
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
	const results = variables.map(({ id, name, value_type: type }) => ({
		name: `${String(name)} (${String(type)})`,
		value: String(id),
	}));
	return filterByName(results, filter);
});
