/** JSON schemas without the parts of which llama.cpp cannot build a grammar. */
import { createInputError } from '../../errors/create-error';
import type { JsonRecord } from '../../values/records';
import { isNonEmpty, isRecord, asRecord } from '../../values/records';
import { isTooDeep, MAX_DEPTH } from '../../values/json';
import { asFiniteNumber } from '../../values/numbers';
import { NON_SCHEMA_KEYWORDS } from './schema-keywords';
import { getOwn, setOwn } from '../../values/own-properties';

/** Maximum repetitions of a rule (llama.cpp, `MAX_REPETITION_THRESHOLD`), less one level for lists that may be empty. */
const MAX_REPETITIONS = 1998;

const SCHEMA_TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);

/** Keywords by which llama.cpp recognizes a schema without a type. */
const SHAPE_KEYWORDS = [
	'type',
	'$ref',
	'oneOf',
	'anyOf',
	'allOf',
	'const',
	'enum',
	'properties',
	'additionalProperties',
	'items',
	'prefixItems',
];

/** Keywords whose values map names to schemas. */
const SCHEMA_MAP_KEYWORDS = new Set([
	'properties',
	'patternProperties',
	'dependentSchemas',
	'$defs',
	'definitions',
]);

/** Name of the definition for references to the whole schema (`{"$ref": "#"}`). */
const ROOT_DEFINITION = 'wholeSchema';

/** @returns the reason why llama.cpp cannot turn a keyword into a grammar; undefined if it can */
type Check = (value: unknown, schema: JsonRecord, root: JsonRecord) => string | undefined;

const CHECKS: Record<string, Check> = {
	// llama.cpp interprets few patterns like JavaScript.
	pattern: () => 'no grammar can match every pattern',
	$ref: (value, _schema, root) => checkReference(value, root),
	type: (value) =>
		value === null || [value].flat().every((type) => SCHEMA_TYPES.has(String(type)))
			? undefined
			: `unknown type ${JSON.stringify(value)}`,
	enum: (value) => (Array.isArray(value) && value.length > 0 ? undefined : 'empty'),
	minItems: checkCount('Items'),
	maxItems: checkCount('Items'),
	minLength: checkCount('Length'),
	maxLength: checkCount('Length'),
};

/** A schema that llama.cpp accepts. */
export interface GrammarSchema {
	schema: JsonRecord;
	/** Paths of the removed parts with reasons, for the user. Changes that lose nothing are not listed. */
	removedPaths: string[];
}

/**
 * Removes the parts of a JSON schema for which llama.cpp rejects the request or crashes: with `minItems` above
 * `maxItems`, llama-server allocates memory without end. Parts that it only ignores (`not`, `if`, most of `format`) stay.
 * Source: llama.cpp v0.5.0 `common/json-schema-to-grammar.cpp`.
 */
export function toGrammarSchema(root: JsonRecord): GrammarSchema {
	const removedPaths: string[] = [];
	const cleanSchema = (schema: JsonRecord, path: string) => {
		const cleaned: JsonRecord = {};
		for (const [key, value] of Object.entries(schema)) {
			const at = path ? `${path}.${key}` : key;
			const reason = getOwn(CHECKS, key)?.(value, schema, root);
			if (reason !== undefined) removedPaths.push(`${at} (${reason})`);
			else if (!isAddedByZod(key, value)) setOwn(cleaned, key, cleanKeyword(key, value, at));
		}
		// Older llama.cpp rejects a schema that has only a description ("Unrecognized schema"), but accepts an empty one.
		const isRecognized =
			!isNonEmpty(cleaned) || SHAPE_KEYWORDS.some((keyword) => Object.hasOwn(cleaned, keyword));
		return isRecognized ? cleaned : { ...cleaned, type: [...SCHEMA_TYPES] };
	};
	const cleanValue = (value: unknown, at: string): unknown => {
		if (Array.isArray(value))
			return value.map((item, index) => cleanValue(item, `${at}[${index}]`));
		// `true` allows any value, and llama.cpp does not support it.
		if (value === true) return {};
		return isRecord(value) ? cleanSchema(value, at) : value;
	};
	const cleanKeyword = (key: string, value: unknown, at: string): unknown => {
		if (key === '$ref' && value === '#') return `#/$defs/${ROOT_DEFINITION}`;
		if (key === 'additionalProperties' && typeof value === 'boolean') return value;
		if (NON_SCHEMA_KEYWORDS.has(key) || typeof value === 'string') return value;
		if (!SCHEMA_MAP_KEYWORDS.has(key) || !isRecord(value)) return cleanValue(value, at);
		// Forbidden properties are omitted.
		const allowed = Object.entries(value).filter(([, property]) => property !== false);
		return Object.fromEntries(
			allowed.map(([name, property]) => [name, cleanValue(property, `${at}.${name}`)]),
		);
	};
	const schema = cleanSchema(root, '');
	return { schema: withRootDefinition(schema), removedPaths };
}

/** A reference to the whole schema requires a definition of it. */
function withRootDefinition(schema: JsonRecord) {
	if (!JSON.stringify(schema).includes(`"#/$defs/${ROOT_DEFINITION}"`)) return schema;
	const { $defs, ...rootSchema } = schema;
	return { ...rootSchema, $defs: { ...asRecord($defs), [ROOT_DEFINITION]: rootSchema } };
}

/** zod limits every integer to the safe range, at which older llama.cpp overflows. */
function isAddedByZod(key: string, value: unknown) {
	const isBound = key === 'minimum' || key === 'maximum';
	return isBound && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

function checkCount(quantity: 'Items' | 'Length'): Check {
	return (value, schema) => {
		if (!Number.isSafeInteger(value) || Number(value) < 0) return 'not a whole number';
		const min = asFiniteNumber(schema[`min${quantity}`]) ?? 0;
		const max = asFiniteNumber(schema[`max${quantity}`]) ?? Infinity;
		if (min > max) return `min${quantity} greater than max${quantity}`;
		return Number(value) > MAX_REPETITIONS ? `more than ${MAX_REPETITIONS}` : undefined;
	};
}

/** llama.cpp resolves references within the schema, without JSON Pointer's escapes. */
function checkReference(reference: unknown, root: JsonRecord): string | undefined {
	if (reference === '#') return undefined;
	if (typeof reference !== 'string' || !reference.startsWith('#'))
		return 'reference to an external document';
	let target: unknown = root;
	for (const name of reference.slice('#/'.length).split('/'))
		target = isRecord(target) ? getOwn(target, name) : undefined;
	return isRecord(target) ? undefined : 'unresolved reference';
}

/**
 * Rejects a JSON schema that would overflow the stack when it is read, copied or sent.
 *
 * @param schemaLabel for example "The JSON schema"
 * @throws {ServerError} of type `invalidInput`
 */
export function assertDepth(schema: unknown, schemaLabel: string): void {
	if (!isTooDeep(schema)) return;
	throw createInputError(
		`${schemaLabel} is nested too deeply (maximum ${MAX_DEPTH} levels)`,
		'Move recurring parts to $defs and reference them with $ref.',
	);
}
