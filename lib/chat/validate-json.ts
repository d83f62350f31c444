import { createInputError, createServerError, ErrorContext } from '../errors/server-error';
import { dereference, format, Schema, SchemaDraft, validate } from '../vendor';
import { isRecord, JsonRecord, getErrorMessage, asString } from '../values';
import { ChatResult, ResponseFormat } from './types';
import { extractJson, ExtractedJson } from '../text/extract-json';

interface SchemaValidation {
	/** Sentences; empty for a valid value. */
	issues: string[];
	/** Parts that could not be checked, as text for the user. */
	unchecked: string[];
}

/** More issues help neither the user nor the model that corrects its response. */
const MAX_ISSUES = 5;

/** Maximum validator steps: they take about 50 ms, during which n8n is blocked. */
const MAX_STEPS = 10_000;

/** Real schemas have some thousand characters. A schema of a hundred thousand fields blocks n8n for seconds. */
const MAX_LENGTH = 200_000;

class StepLimitError extends Error {}

const DRAFTS: ReadonlyArray<[RegExp, SchemaDraft]> = [
	[/draft-0?4/, '4'],
	[/draft-0?[67]/, '7'],
	[/2019-09/, '2019-09'],
];

/** Keywords whose errors only repeat that a value inside them is invalid. */
const CONTAINER_KEYWORDS = new Set([
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
 * Checks a value against a JSON schema in bounded time. A server that accepts a schema may not enforce it: llama.cpp with
 * llguidance accepts an invalid one without constraining the output (observed in 2026), and most small servers ignore it.
 *
 * Throws a `ServerError` of type `invalidInput` if the schema itself is invalid.
 */
export function validateAgainstSchema(source: JsonRecord, value: unknown): SchemaValidation {
	assertLength(source);
	const unchecked = new Set<string>();
	try {
		let steps = 0;
		const countStep = () => {
			steps += 1;
			if (steps > MAX_STEPS) throw new StepLimitError();
		};
		const schema = copyBounded(source, countStep, unchecked) as Schema;
		const lookup = dereference(schema);
		assertReferences(lookup);
		const { valid, errors } = validate(value, schema, getDraft(source), lookup, false);
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

/** Keywords with unbounded run time: the pattern `^(a+)+$` would block n8n for years. */
const UNBOUNDED_KEYWORDS = new Set(['pattern', 'patternProperties', 'uniqueItems']);

/** Keywords that reject property names outside the schema. */
const CLOSING_KEYWORDS = new Set(['additionalProperties', 'unevaluatedProperties']);

/**
 * Copies a schema without the keywords of unbounded run time.
 *
 * `step`: called each time the validator visits a schema; may throw.
 * `unchecked`: receives the names of the omitted keywords.
 */
function copyBounded(schema: JsonRecord, step: () => void, unchecked: Set<string>): JsonRecord {
	const copy = (value: unknown): unknown => {
		if (Array.isArray(value)) return value.map(copy);
		return isRecord(value) ? copyBounded(value, step, unchecked) : value;
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
	const bounded = Object.fromEntries(
		entries.map(([key, value]) => [key, NON_SCHEMA_KEYWORDS.has(key) ? value : copy(value)]),
	);
	// The validator reads this property each time it visits a schema.
	const get = () => {
		step();
		return schema.$recursiveAnchor;
	};
	return Object.defineProperty(bounded, '$recursiveAnchor', { get, enumerable: false });
}

/** Keywords whose values are not schemas, although they may look like one. */
export const NON_SCHEMA_KEYWORDS = new Set([
	'const',
	'default',
	'enum',
	'examples',
	'required',
	'dependentRequired',
]);

function assertLength(schema: JsonRecord) {
	const { length } = JSON.stringify(schema);
	if (length <= MAX_LENGTH) return;
	const [actual, max] = [length, MAX_LENGTH].map((count) => count.toLocaleString('en'));
	throw createInputError(
		`The JSON schema is too long: ${actual} characters (maximum ${max})`,
		'Describe fewer fields per schema: split the task into several items, each with its own schema.',
	);
}

function formatIssues(errors: ReturnType<typeof validate>['errors']) {
	const issues = errors
		.filter(({ keyword }) => !CONTAINER_KEYWORDS.has(keyword))
		.map(({ instanceLocation, error }) => `${formatPath(instanceLocation)}: ${error}`);
	return issues.length > 0 ? [...new Set(issues)] : ['The response does not match the schema'];
}

/** Throws for a reference without a target, which the validator detects only if a value reaches it. */
function assertReferences(lookup: ReturnType<typeof dereference>) {
	for (const node of Object.values(lookup)) {
		const { $ref, __absolute_ref__: target = $ref } = node as {
			$ref?: string;
			__absolute_ref__?: string;
		};
		if (target !== undefined && lookup[target] === undefined)
			throw new Error(`$ref "${$ref}" does not resolve`);
	}
}

function getDraft({ $schema }: JsonRecord) {
	const name = asString($schema) ?? '';
	return DRAFTS.find(([pattern]) => pattern.test(name))?.[1] ?? '2020-12';
}

/** `#/invoice/total` → `invoice.total` */
function formatPath(location: string) {
	const path = location.replace(/^#\/?/, '').split('/').map(decodeURIComponent).join('.');
	return path || 'The response';
}

function createSchemaError(problem: string) {
	return createInputError(
		'The JSON schema is invalid',
		'Correct the schema in the node. Every $ref must resolve within the schema, and every pattern must be a valid regular expression.',
		{ detail: `The JSON schema is invalid: ${problem}` },
	);
}

/** JSON that matches its schema, as far as the schema could be checked. */
interface ValidatedJson extends ExtractedJson {
	/** Warnings about parts that could not be checked. */
	unchecked: string[];
}

/**
 * Parses and validates JSON if the format requires it; otherwise undefined. Validated here, because a server may ignore
 * the format or not enforce the schema.
 *
 * Returns the JSON, or its issues.
 */
export function validateJson(
	text: string,
	format: ResponseFormat | undefined,
): ValidatedJson | { type: 'invalid'; issues: string[] } | undefined {
	if (format?.type !== 'jsonObject' && format?.type !== 'jsonSchema') return undefined;
	const schema =
		format.type === 'jsonSchema' ? (format.validationSchema ?? format.schema) : { type: 'object' };
	const unchecked = new Set<string>();
	const result = extractJson(text, (value) => {
		const check = validateAgainstSchema(schema, value);
		for (const part of check.unchecked)
			unchecked.add(`Not validated against the JSON schema: ${part}`);
		return check.issues;
	});
	if (result.type === 'valid') return { ...result, unchecked: [...unchecked] };
	const issues = result.issues.length === 0 ? ['not valid JSON'] : result.issues;
	return { type: 'invalid', issues };
}

/**
 * The JSON of a response, if the format requires JSON; otherwise undefined.
 *
 * Throws a `ServerError` of type `invalidResponse` with the text in `partialText`.
 */
export function getRequestedJson(
	result: ChatResult,
	format: ResponseFormat | undefined,
): ValidatedJson | undefined {
	const validated = validateJson(result.text, format);
	if (validated?.type !== 'invalid') return validated;
	throw createJsonError(result, { url: result.url }, validated.issues);
}

/** The error for a response whose JSON is truncated or invalid. */
export function createJsonError(
	{
		text,
		reasoning,
		finishReason,
		usage,
	}: Pick<ChatResult, 'text' | 'reasoning' | 'finishReason' | 'usage'>,
	context: Partial<ErrorContext>,
	issues: readonly string[],
) {
	const invalidTexts = {
		title: 'The response is not the requested JSON',
		detail: `The response is not the requested JSON: ${issues.join('; ')}`,
		suggestion:
			'Name the fields you want in the prompt, lower the temperature, or choose a larger model or a server that enforces the schema. The details contain the response.',
	};
	const truncatedTexts = {
		title: 'The JSON was cut off at the token limit',
		detail: 'The token limit was reached before the JSON was complete',
		suggestion: 'Raise Maximum Tokens or the server context. Thinking uses tokens, too.',
	};
	return createServerError('invalidResponse', context, {
		...(finishReason === 'length' ? truncatedTexts : invalidTexts),
		partialText: text || undefined,
		partialReasoning: reasoning || undefined,
		facts: { issues, finishReason, usage },
	});
}
