import { failure } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import { type Schema, type SchemaDraft, Validator } from '../vendor';

/** How many faults of an answer are told: the model that mends it, and the user, need no more. */
const MAX_FAULTS = 5;

const DRAFTS: ReadonlyArray<[RegExp, SchemaDraft]> = [
	[/draft-0?4/, '4'],
	[/draft-0?[67]/, '7'],
	[/2019-09/, '2019-09'],
];

/**
 * What is wrong with a value that should follow a JSON schema, in sentences; empty where nothing is. A server that takes
 * a schema need not keep to it: a llama.cpp with llguidance lets a broken one pass and constrains nothing (seen in
 * 2026), and most small servers ignore the field.
 *
 * @throws {ServerError} of kind `invalidInput` where the schema itself is broken
 */
export function schemaFaults(schema: Record<string, unknown>, value: unknown): string[] {
	try {
		// The validator writes into the schema that it gets.
		const { valid, errors } = new Validator(structuredClone(schema) as Schema, draftOf(schema), false).validate(value);
		if (valid) return [];
		const told = errors
			// These only say that something inside them is wrong.
			.filter(({ keyword }) => !['properties', 'items', 'prefixItems', '$ref', 'allOf'].includes(keyword))
			.map(({ instanceLocation, error }) => `${placeOf(instanceLocation)}: ${error}`);
		return [...new Set(told.length > 0 ? told : ['The answer does not follow the schema'])].slice(0, MAX_FAULTS);
	} catch (error) {
		throw brokenSchema(error);
	}
}

function draftOf({ $schema }: Record<string, unknown>): SchemaDraft {
	const named = typeof $schema === 'string' ? $schema : '';
	return DRAFTS.find(([pattern]) => pattern.test(named))?.[1] ?? '2020-12';
}

/** `#/invoice/total` → `invoice.total` */
function placeOf(location: string): string {
	const path = location.replace(/^#\/?/, '').split('/').map(decodeURIComponent).join('.');
	return path === '' ? 'The answer' : path;
}

function brokenSchema(error: unknown): ServerError {
	return failure(
		'invalidInput',
		{},
		{
			message: 'The JSON schema cannot be used',
			meaning: `The JSON schema cannot be used: ${error instanceof Error ? error.message : String(error)}`,
			remedy: 'Correct the schema in the node. Every $ref must lead to a part of it, and every pattern must be valid.',
		},
	);
}
