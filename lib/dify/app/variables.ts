import { type ServerError, throwAs } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { MAX_PAGE_SIZE } from './conversations';
import { invalidParam, localError } from '../errors/failure';
import { checkExact } from '../exact-number';
import { collectAfter, type Limit } from '../paging';
import { pythonValue } from './python-value';
import { parseJson } from '../../json';
import { isRecord, nonEmptyText, words, type JsonRecord } from '../../values';

/**
 * Variables of a chatflow's conversation; other types of app have none. Values are converted to the type that Dify
 * names.
 */
export async function listVariables(
	client: DifyClient,
	user: string,
	conversationId: string,
	most: Limit,
	name?: string,
): Promise<JsonRecord[]> {
	const records = await collectAfter({
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
	return records.map(typed);
}

/** Converts a value: Dify sends all as text, in Python's notation (1.12.1 and 1.14.2). Unreadable ones stay text. */
function typed(variable: JsonRecord): JsonRecord {
	const { value, value_type: type } = variable;
	if (typeof value !== 'string' || type === 'string' || type === 'secret') return variable;
	return { ...variable, ...pythonValue(value) };
}

/**
 * Sets a variable. The value is converted to the type of the variable, since Dify refuses any other.
 *
 * @param wanted id or name of the variable
 * @throws {ServerError} of kind `notFound` with the existing names, or `invalidParam` for a value of the wrong type
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
	const sending = client.send('PUT', path, body, { idempotent: true });
	return typed(
		await sending.catch(throwAs((error) => explainNumberType(error, known, body.value))),
	);
}

/** A variable keeps the kind of number that it holds: "not supported value type float" (1.12.1). */
function explainNumberType(
	error: ServerError,
	{ name, value }: JsonRecord,
	sent: unknown,
): ServerError {
	const refused = /not supported value type (integer|float)/.exec(error.serverText ?? '');
	if (refused === null || typeof sent !== 'number') return error;
	const [one, other] =
		refused[1] === 'float' ? ['a fraction', 'whole number'] : ['a whole number', 'fraction'];
	return invalidParam(
		`The variable "${String(name)}" holds ${one} (${String(value)}), and Dify refuses the ${other} ${sent} for it`,
		`Give ${one}, or change the default of the variable in the chatflow: it decides which kind of number it takes.`,
	);
}

function valueOf({ name, value_type: type }: JsonRecord, value: unknown): unknown {
	const kind = typeof type === 'string' ? type.replace(/\[.*/, '') : '';
	if (!(kind in converters)) return value;
	const converted = converters[kind]?.(value);
	if (converted === undefined)
		throw invalidParam(
			`The variable "${String(name)}" expects ${String(type)}, but the value is ${JSON.stringify(value)?.slice(0, 100)}`,
		);
	if (typeof converted !== 'string') checkExact(value, `The variable "${String(name)}"`);
	return converted;
}

const converters: Partial<Record<string, (value: unknown) => unknown>> = {
	string: asText,
	secret: asText,
	number: asNumber,
	integer: asNumber,
	float: asNumber,
	boolean: asBoolean,
	object: (value) => {
		const parsed = parsedJson(value);
		return isRecord(parsed) ? parsed : undefined;
	},
	array: (value) => {
		const parsed = parsedJson(value);
		return Array.isArray(parsed) ? parsed : undefined;
	},
};

function asBoolean(value: unknown): boolean | undefined {
	if (typeof value === 'boolean') return value;
	if (value === 'true') return true;
	return value === 'false' ? false : undefined;
}

function parsedJson(value: unknown): unknown {
	return typeof value === 'string' ? parseJson(value) : value;
}

function asText(value: unknown): string | undefined {
	return value === undefined || value === null ? undefined : words(value);
}

function asNumber(value: unknown): number | undefined {
	const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
	return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
