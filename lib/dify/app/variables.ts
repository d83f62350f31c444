import type { DifyClient } from '../client';
import { MAX_PAGE_SIZE } from './conversations';
import { localError } from '../errors/failure';
import { collectAfter, type Limit } from '../paging';
import { parseJson } from '../../json';
import { nonEmptyText, words, type JsonRecord } from '../../values';

/**
 * Variables of a chatflow's conversation; other types of app have none. Dify sends values as text, some of them in
 * Python's notation.
 */
export async function listVariables(
	client: DifyClient,
	user: string,
	conversationId: string,
	most: Limit,
	name?: string,
): Promise<JsonRecord[]> {
	return await collectAfter({
		most,
		largest: MAX_PAGE_SIZE,
		timeField: 'created_at',
		page: async (limit, lastId) =>
			await client.get(`/conversations/${conversationId}/variables`, {
				user,
				limit,
				last_id: lastId,
				variable_name: name,
			}),
	});
}

/**
 * Sets a variable. A text for a variable of another type is read as JSON, since Dify refuses any other type.
 *
 * @param wanted id or name of the variable
 * @throws {ServerError} of kind `notFound` with the existing names
 */
export async function updateVariable(
	client: DifyClient,
	user: string,
	conversationId: string,
	wanted: string,
	value: unknown,
): Promise<JsonRecord> {
	const variables = await listVariables(client, user, conversationId, 'all');
	const known =
		variables.find(({ id }) => id === wanted) ?? variables.find(({ name }) => name === wanted);
	const id = nonEmptyText(known?.id);
	if (known === undefined || id === undefined) {
		const names = variables.map(({ name }) => String(name)).join(', ');
		throw localError(
			'notFound',
			`The conversation has no variable "${wanted}"`,
			names === '' ? 'It has no variables at all: only chatflows have them.' : `It has: ${names}.`,
		);
	}
	const body = { value: valueOf(known, value), user };
	const path = `/conversations/${conversationId}/variables/${id}`;
	return await client.send('PUT', path, body, { idempotent: true });
}

function valueOf({ value_type: type }: JsonRecord, value: unknown): unknown {
	if (type === 'string' || type === 'secret') return words(value);
	return typeof value === 'string' ? (parseJson(value) ?? value) : value;
}
