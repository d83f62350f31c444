import { createInputError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { dereference, format, type Schema, type SchemaDraft, validate } from '../vendor';
import { isRecord, type JsonRecord, getErrorMessage, asString } from '../values';

interface SchemaValidation {
	/** What is wrong, in sentences; empty for a valid value. */
	issues: string[];
	/** What could not be checked, for the user. */
	unchecked: string[];
}

/** How many faults are reported: neither the model that corrects its answer nor the user needs more. */
const MAX_ISSUES = 5;
/** Limit for the validator's steps: so many take about 50 ms, in which n8n does nothing else. */
const MAX_STEPS = 10_000;

/** Real schemas have some thousand characters. Those of a hundred thousand fields keep n8n for seconds. */
const MAX_LENGTH = 200_000;

class StepLimitError extends Error {}

const DRAFTS: ReadonlyArray<[RegExp, SchemaDraft]> = [
	[/draft-0?4/, '4'],
	[/draft-0?[67]/, '7'],
	[/2019-09/, '2019-09'],
];

/** Keywords whose errors only say that something inside them is wrong. */
const OUTER: ReadonlySet<string> = new Set([
	'properties',
	'patternProperties',
	'items',
	'prefixItems',
	'$ref',
	'allOf',
	'if',
]);

const { time, 'date-time': dateTime } = format as Record<
	'time' | 'date-time',
	(text: string) => boolean
>;
// Times in texts often have no time zone.
Object.assign(format, {
	time: (value: string) => time(value) || time(`${value}Z`),
	'date-time': (value: string) => dateTime(value) || dateTime(`${value}Z`),
});

/**
 * Checks a value against a JSON schema in bounded time. A server that takes a schema may not enforce it: llama.cpp with
 * llguidance accepts a broken one and constrains nothing (seen in 2026), and most small servers ignore the field.
 *
 * @throws {ServerError} of type `invalidInput` where the schema itself is broken
 */
export function validateAgainstSchema(source: JsonRecord, value: unknown): SchemaValidation {
	requireLength(source);
	const unchecked = new Set<string>();
	try {
		const schema = boundedCopy(source, stepCounter(), unchecked) as Schema;
		const lookup = dereference(schema);
		requireReferences(lookup);
		const { valid, errors } = validate(value, schema, draftOf(source), lookup, false);
		const issues = valid ? [] : formatIssues(errors).slice(0, MAX_ISSUES);
		return { issues, unchecked: [...unchecked] };
	} catch (error) {
		if (error instanceof StepLimitError)
			return {
				issues: [],
				unchecked: [`the complete response (the check takes more than ${MAX_STEPS} steps)`],
			};
		if (error instanceof RangeError)
			throw createSchemaError('it is recursive without end, or nested too deeply');
		throw createSchemaError(getErrorMessage(error));
	}
}

function stepCounter(): () => void {
	let left = MAX_STEPS;
	return () => {
		left -= 1;
		if (left < 0) throw new StepLimitError();
	};
}

/** Keywords that the validator tries without a bound: `^(a+)+$` would hold n8n for years. */
const UNBOUNDED: ReadonlySet<string> = new Set(['pattern', 'patternProperties', 'uniqueItems']);

/** Keywords that refuse other names than those of the schema. */
const CLOSING: ReadonlySet<string> = new Set(['additionalProperties', 'unevaluatedProperties']);

/**
 * A copy whose check ends, without the keywords that nothing bounds.
 *
 * @param step called each time the validator visits a schema; may throw
 * @param unchecked gets the names of what is left out
 */
function boundedCopy(schema: JsonRecord, step: () => void, unchecked: Set<string>): JsonRecord {
	const copied = (value: unknown): unknown => {
		if (Array.isArray(value)) return value.map(copied);
		return isRecord(value) ? boundedCopy(value, step, unchecked) : value;
	};
	const kept = Object.entries(schema).filter(([key, value]) => {
		const isUnbounded = isKeyword(key, value) && UNBOUNDED.has(key);
		const isUrl = key === 'format' && value === 'url';
		if (isUnbounded || isUrl) unchecked.add(isUrl ? 'format: url' : key);
		// It would refuse the names that the patterns allow.
		const isForPatterns = CLOSING.has(key) && isRecord(schema.patternProperties);
		return !isUnbounded && !isUrl && !isForPatterns;
	});
	const copy = Object.fromEntries(
		kept.map(([key, value]) => [key, NON_SCHEMA_KEYWORDS.has(key) ? value : copied(value)]),
	);
	const { $recursiveAnchor } = schema;
	// The validator reads this property each time it visits a schema.
	const get = () => {
		step();
		return $recursiveAnchor;
	};
	return Object.defineProperty(copy, '$recursiveAnchor', { get, enumerable: false });
}

/** Keywords whose values are no schemas, though they may look like some. */
const NON_SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
	'const',
	'default',
	'enum',
	'examples',
	'required',
	'dependentRequired',
]);

/** Not a property that is called so. */
function isKeyword(key: string, value: unknown): boolean {
	return key === 'patternProperties' || !isRecord(value);
}

function requireLength(schema: JsonRecord): void {
	const { length } = JSON.stringify(schema);
	if (length <= MAX_LENGTH) return;
	const [actual, most] = [length, MAX_LENGTH].map((count) => count.toLocaleString('en'));
	throw createInputError(
		`The JSON schema is too long: ${actual} characters (maximum ${most})`,
		'Describe fewer fields per schema: split the task into several items, each with its own schema.',
	);
}

function formatIssues(errors: ReturnType<typeof validate>['errors']): string[] {
	const faults = errors
		.filter(({ keyword }) => !OUTER.has(keyword))
		.map(({ instanceLocation, error }) => `${formatPath(instanceLocation)}: ${error}`);
	return faults.length > 0 ? [...new Set(faults)] : ['The response does not match the schema'];
}

/** Throws for a reference without a target. The validator finds one only when a value reaches it. */
function requireReferences(lookup: ReturnType<typeof dereference>): void {
	for (const node of Object.values(lookup)) {
		const { $ref, __absolute_ref__: target = $ref } = node as {
			$ref?: string;
			__absolute_ref__?: string;
		};
		if (target !== undefined && lookup[target] === undefined)
			throw new Error(`$ref "${$ref}" does not resolve`);
	}
}

function draftOf({ $schema }: JsonRecord): SchemaDraft {
	const name = asString($schema) ?? '';
	return DRAFTS.find(([pattern]) => pattern.test(name))?.[1] ?? '2020-12';
}

/** `#/invoice/total` → `invoice.total` */
function formatPath(location: string): string {
	const path = location.replace(/^#\/?/, '').split('/').map(decodeURIComponent).join('.');
	return path === '' ? 'The response' : path;
}

function createSchemaError(problem: string): ServerError {
	return createInputError(
		'The JSON schema is invalid',
		'Correct the schema in the node. Every $ref must resolve within the schema, and every pattern must be a valid regular expression.',
		{ detail: `The JSON schema is invalid: ${problem}` },
	);
}
