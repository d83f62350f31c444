import { invalidInput } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import { dereference, format, type Schema, type SchemaDraft, validate } from '../vendor';
import { CheckableSchemas } from './checkable-schema';
import { type JsonRecord, messageOf, text } from '../values';

interface SchemaCheck {
	/** What is wrong, in sentences; empty for a valid value. */
	faults: string[];
	/** What could not be checked, for the user. */
	unchecked: string[];
}

/** How many faults are reported: neither the model that corrects its answer nor the user needs more. */
const MAX_FAULTS = 5;
/** Limit for the validator's steps: so many take about 50 ms, in which n8n does nothing else. */
const MAX_STEPS = 10_000;

/** Real schemas have some thousand characters. Those of a hundred thousand fields keep n8n for seconds. */
const MAX_LENGTH = 200_000;

class OutOfSteps extends Error {}

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
// Times in texts often have no time zone. The validator's own pattern for `url` takes years for some texts.
Object.assign(format, {
	time: (value: string) => time(value) || time(`${value}Z`),
	'date-time': (value: string) => dateTime(value) || dateTime(`${value}Z`),
	url: (value: string) => URL.canParse(value),
});

/**
 * Checks a value against a JSON schema in bounded time. A server that takes a schema may not enforce it: llama.cpp with
 * llguidance accepts a broken one and constrains nothing (seen in 2026), and most small servers ignore the field.
 *
 * @throws {ServerError} of kind `invalidInput` where the schema itself is broken
 */
export function checkSchema(source: JsonRecord, value: unknown): SchemaCheck {
	requireLength(source);
	let remainingSteps = MAX_STEPS;
	const schemas = new CheckableSchemas(value, (cost) => {
		remainingSteps -= cost;
		if (remainingSteps < 0) throw new OutOfSteps();
	});
	try {
		const schema = schemas.copyOf(source) as Schema;
		const lookup = dereference(schema);
		requireReferences(lookup);
		const { valid, errors } = withFormats(schemas.formats, () =>
			validate(value, schema, draftOf(source), lookup, false),
		);
		const unchecked = [...schemas.unchecked];
		if (valid) return { faults: [], unchecked };
		return { faults: faultsIn(errors).slice(0, MAX_FAULTS), unchecked };
	} catch (error) {
		if (error instanceof OutOfSteps)
			return {
				faults: [],
				unchecked: [`the whole answer (the check takes more than ${MAX_STEPS} steps)`],
			};
		if (error instanceof RangeError) throw brokenSchema('it never ends, or is nested too deeply');
		throw brokenSchema(messageOf(error));
	}
}

function requireLength(schema: JsonRecord): void {
	const { length } = JSON.stringify(schema);
	if (length <= MAX_LENGTH) return;
	const [actual, most] = [length, MAX_LENGTH].map((count) => count.toLocaleString('en'));
	throw invalidInput(
		`The JSON schema is too long: ${actual} characters, and ${most} are the most`,
		'Describe fewer fields at once: divide the task into several items, each with its own schema.',
	);
}

function faultsIn(errors: ReturnType<typeof validate>['errors']): string[] {
	const faults = errors
		.filter(({ keyword }) => !OUTER.has(keyword))
		.map(({ instanceLocation, error }) => `${placeOf(instanceLocation)}: ${error}`);
	return faults.length > 0 ? [...new Set(faults)] : ['The answer does not follow the schema'];
}

/** Runs a check with additional formats. The validator has one global list of formats. */
function withFormats<T>(formats: CheckableSchemas['formats'], check: () => T): T {
	Object.assign(format, formats);
	try {
		return check();
	} finally {
		for (const name of Object.keys(formats)) Reflect.deleteProperty(format, name);
	}
}

/** Throws for a reference without a target. The validator finds one only when a value reaches it. */
function requireReferences(lookup: ReturnType<typeof dereference>): void {
	for (const node of Object.values(lookup)) {
		const { $ref, __absolute_ref__: target = $ref } = node as {
			$ref?: string;
			__absolute_ref__?: string;
		};
		if (target !== undefined && lookup[target] === undefined)
			throw new Error(`$ref "${$ref}" leads nowhere`);
	}
}

function draftOf({ $schema }: JsonRecord): SchemaDraft {
	const name = text($schema) ?? '';
	return DRAFTS.find(([pattern]) => pattern.test(name))?.[1] ?? '2020-12';
}

/** `#/invoice/total` → `invoice.total` */
function placeOf(location: string): string {
	const path = location.replace(/^#\/?/, '').split('/').map(decodeURIComponent).join('.');
	return path === '' ? 'The answer' : path;
}

function brokenSchema(problem: string): ServerError {
	return invalidInput(
		'The JSON schema cannot be used',
		'Correct the schema in the node. Every $ref must lead to a part of it, and every pattern must be valid.',
		{ meaning: `The JSON schema cannot be used: ${problem}` },
	);
}
