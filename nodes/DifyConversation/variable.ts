/** Variables of a conversation. */
import type { DifyClient } from '../../lib/dify/client';
import type { ListEndpoint } from '../../lib/dify/pages';
import { apiPath } from '../../lib/dify/api-path';
import { parseOptionalUuid } from '../../lib/dify/ids';
import { fetchAllPages } from '../../lib/dify/pages';
import { createLocalError } from '../../lib/dify/create-error';
import { toVariableValue, withTypedValue } from '../../lib/dify/variables';
import { asNonEmptyString } from '../../lib/values/records';
import { createEmptyFieldError, quoteValue } from '../../lib/fields/field-errors';
import type { FieldTable, Values, ValueSource } from '../../lib/fields/field';
import { readUser } from '../shared/dify/common-fields';
import type { DifyCall, DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation } from '../shared/dify/list-operation';
import type { ListSearch } from '../shared/dify/editor-lists';
import {
	createListSearch,
	filterByName,
	readEditorUser,
	readEditorValue,
} from '../shared/dify/editor-lists';
import { defineOperation } from '../shared/items/define-operation';
import { conversationFields } from './fields';

const updateFields = {
	...conversationFields,
	variableId: {
		kind: 'locator',
		label: 'Variable',
		search: 'searchVariables',
		entered: [{ displayName: 'By Name', name: 'name', placeholder: 'e.g. language' }, 'id'],
		required: true,
		whenEmpty: 'Select the variable from the list, or enter its name or ID.',
	},
	value: {
		kind: 'text',
		label: 'Value',
		description: 'The new value. For variables that are not strings, enter JSON: 5, true, [1, 2].',
		parse: parseValue,
	},
} as const satisfies FieldTable;

/** An empty text empties the variable, but an expression without a result would write "undefined" into it. */
function parseValue(value: unknown, source: ValueSource): unknown {
	if (value === undefined || value === null) throw createEmptyFieldError(source);
	return value;
}

export const variables: DifyResource = {
	name: 'Variable',
	value: 'variable',
	operations: [
		defineListOperation({
			action: 'Get many variables',
			description: 'List the variables of a chatflow conversation; other apps have none',
			fields: conversationFields,
			list: ({ source, values }) =>
				buildVariableList({
					conversationId: values.conversationId,
					user: readUser(source, values),
				}),
			toItem: withTypedValue,
		}),
		defineOperation({
			name: 'Update',
			value: 'update',
			action: 'Update a variable',
			description: 'Set a variable of a chatflow conversation',
			mainFields: ['value'],
			fields: updateFields,
			execute: updateVariable,
		}),
	],
};

async function updateVariable({
	client,
	source,
	values,
}: DifyCall & { values: Values<typeof updateFields> }) {
	const { variableId: nameOrId, conversationId, value } = values;
	const user = readUser(source, values);
	const list = buildVariableList({ conversationId, user });
	const variable = await findVariable(client, list, nameOrId);
	const body = { value: toVariableValue(variable, value), user };
	const route = apiPath`/conversations/${conversationId}/variables/${variable.id}`;
	const updated = await client.sendJson('PUT', route, { json: body, isIdempotent: true });
	return { json: withTypedValue(updated) };
}

/** @throws {ServerError} of type `notFound` with the existing names */
async function findVariable(client: DifyClient, list: ListEndpoint, nameOrId: string) {
	const records = await fetchAllPages(client, list);
	const variable =
		records.find(({ id }) => id === nameOrId) ?? records.find(({ name }) => name === nameOrId);
	const id = asNonEmptyString(variable?.id);
	if (id !== undefined) return { ...variable, id };
	const names = records.map(({ name }) => String(name)).join(', ');
	throw createLocalError('notFound', {
		title: `The conversation has no variable ${quoteValue(nameOrId)}`,
		suggestion:
			names === ''
				? 'It has no variables: only chatflows have variables.'
				: `Available variables: ${names}.`,
	});
}

/** Variables of the conversation in the node. */
export const searchVariables: ListSearch = createListSearch('app', async (call) => {
	const { context, client, filter } = call;
	const conversationId = parseOptionalUuid(
		readEditorValue(context, 'conversationId'),
		'conversation ID',
	);
	if (conversationId === undefined) {
		throw createLocalError('invalidId', {
			title: 'The list requires a conversation',
			suggestion: 'Select one under Conversation first, or enter the variable by name.',
		});
	}
	const list = buildVariableList({ conversationId, user: readEditorUser(context) });
	const records = await fetchAllPages(client, list);
	const entries = records.map(({ id, name, value_type: type }) => ({
		name: `${String(name)} (${String(type)})`,
		value: String(id),
	}));
	return filterByName(entries, filter);
});

interface Conversation {
	conversationId: string;
	user: string;
}

function buildVariableList({ conversationId, user }: Conversation): ListEndpoint {
	return {
		path: apiPath`/conversations/${conversationId}/variables`,
		query: { user },
		cursor: 'last_id',
	};
}
