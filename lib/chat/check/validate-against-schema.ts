/** Compares a value with a JSON schema of a user or a tool, in bounded time. */
import { createInputError } from '../../errors/create-error';
import type { ServerError } from '../../errors/server-error';
import { isRecord, asString } from '../../values/records';
import { getErrorMessage } from '../../values/text';
import type { JsonRecord } from '../../values/records';
import { dereference } from '../../vendor';
import type { Schema } from '../../vendor';
import { checkSchema, MAX_STEPS } from './check-schema';
import type { ResolvedSchema, SchemaDraft } from './check-schema';
import { NON_SCHEMA_KEYWORDS } from '../body/schema-keywords';
import { MAX_LENGTH } from '../body/schema-size';
import { getOwn } from '../../values/own-properties';

/** A value compared with its schema. */
interface SchemaValidation {
	/** Sentences; empty for a valid value. */
	issues: string[];
	/** Parts that could not be checked, as text for the user. */
	unchecked: string[];
}

/** Versions of JSON schema, by the name in `$schema`. */
const DRAFTS: ReadonlyArray<{ pattern: RegExp; draft: SchemaDraft }> = [
	{ pattern: /draft-0?4/, draft: '4' },
	{ pattern: /draft-0?[67]/, draft: '7' },
	{ pattern: /2019-09/, draft: '2019-09' },
];

/**
 * Checks a value against a JSON schema in bounded time. A server that accepts a schema may not enforce it: llama.cpp with
 * llguidance accepts an invalid one without constraining the output (observed in 2026), and most small servers ignore it.
 *
 * @throws {ServerError} of type `invalidInput` if the schema itself is invalid
 */
export function validateAgainstSchema(source: JsonRecord, value: unknown): SchemaValidation {
	const { resolved, unchecked } = resolveSchema(source);
	try {
		const { issues, isIncomplete } = checkSchema(resolved, value);
		if (issues.length > 0 || !isIncomplete) return { issues, unchecked };
		const limit = `the complete response (the check takes more than ${MAX_STEPS} steps)`;
		return { issues, unchecked: [...unchecked, limit] };
	} catch (error) {
		if (error instanceof RangeError)
			throw createSchemaError('it is recursive without end, or nested too deeply');
		throw createSchemaError(getErrorMessage(error));
	}
}

/**
 * Compares null, as any other value would do: what is wrong with a schema itself shows before a response arrives.
 *
 * @throws {ServerError} of type `invalidInput` if the schema is invalid
 */
export function assertSchema(schema: JsonRecord): void {
	validateAgainstSchema(schema, null);
}

/** A schema that is ready to be compared with values. */
interface BoundedSchema {
	resolved: ResolvedSchema;
	/** Its keywords that are not checked. */
	unchecked: string[];
}

/** A response may contain thousands of texts that could be its JSON, and each is checked. */
const resolvedSchemas = new WeakMap<JsonRecord, BoundedSchema>();

/** @throws ServerError of type `invalidInput` */
function resolveSchema(source: JsonRecord): BoundedSchema {
	const known = resolvedSchemas.get(source);
	if (known !== undefined) return known;
	assertLength(source);
	const unchecked = new Set<string>();
	try {
		const schema = copyBounded(source, unchecked);
		const lookup = dereference(schema as Schema);
		assertReferences(lookup);
		const resolved = { schema, lookup, draft: getDraft(source) };
		const bounded = { resolved, unchecked: [...unchecked] };
		resolvedSchemas.set(source, bounded);
		return bounded;
	} catch (error) {
		throw createSchemaError(
			error instanceof RangeError ? 'it is nested too deeply' : getErrorMessage(error),
		);
	}
}

/** Keywords with unbounded run time: the pattern `^(a+)+$` would block n8n for years. */
const UNBOUNDED_KEYWORDS = new Set(['pattern', 'patternProperties']);

/** Keywords that reject property names outside the schema. */
const CLOSING_KEYWORDS = new Set(['additionalProperties', 'unevaluatedProperties']);

/**
 * Copies a schema without the keywords of unbounded run time.
 *
 * @param unchecked receives the names of the omitted keywords
 */
function copyBounded(schema: JsonRecord, unchecked: Set<string>): JsonRecord {
	const copy = (value: unknown): unknown => {
		if (Array.isArray(value)) return value.map(copy);
		return isRecord(value) ? copyBounded(value, unchecked) : value;
	};
	const entries = Object.entries(schema).filter(([key, value]) => {
		// Otherwise it may be a property of the same name.
		const isKeyword = key === 'patternProperties' || !isRecord(value);
		const isUnbounded = isKeyword && UNBOUNDED_KEYWORDS.has(key);
		const isUrl = key === 'format' && value === 'url';
		if (isUnbounded || isUrl) unchecked.add(isUrl ? 'format: url' : key);
		// It would reject names that the patterns allow.
		const isForPatterns = CLOSING_KEYWORDS.has(key) && isRecord(schema.patternProperties);
		return !isUnbounded && !isUrl && !isForPatterns;
	});
	return Object.fromEntries(
		entries.map(([key, value]) => [key, NON_SCHEMA_KEYWORDS.has(key) ? value : copy(value)]),
	);
}

function assertLength(schema: JsonRecord) {
	const { length } = JSON.stringify(schema);
	if (length <= MAX_LENGTH) return;
	throw createInputError(
		`The JSON schema is too long: ${length.toLocaleString('en')} characters (maximum ${MAX_LENGTH.toLocaleString('en')})`,
		'Describe fewer fields per schema: split the task into several items, each with its own schema.',
	);
}

/** @throws {Error} for a reference without a target, which the validator detects only if a value reaches it */
function assertReferences(lookup: ResolvedSchema['lookup']) {
	for (const node of Object.values(lookup)) {
		const { $ref, __absolute_ref__: target = $ref } = node as {
			$ref?: string;
			__absolute_ref__?: string;
		};
		if (target !== undefined && getOwn(lookup, target) === undefined)
			throw new Error(`$ref "${$ref}" does not resolve`);
	}
}

function getDraft({ $schema }: JsonRecord): SchemaDraft {
	const name = asString($schema) ?? '';
	return DRAFTS.find(({ pattern }) => pattern.test(name))?.draft ?? '2020-12';
}

function createSchemaError(problem: string): ServerError {
	return createInputError(
		'The JSON schema is invalid',
		'Correct the schema in the node. Every $ref must resolve within the schema, and every pattern must be a valid regular expression.',
		{ detail: `The JSON schema is invalid: ${problem}` },
	);
}
