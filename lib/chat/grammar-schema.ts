/** JSON schemas in the form that llama.cpp turns into a grammar. */
import { asFiniteNumber, isRecord, type JsonRecord, asRecord } from '../values';
import { createInputError } from '../errors/create-error';
import { isTooDeep, MAX_DEPTH } from '../json';

interface CleanedSchema {
	schema: JsonRecord;
	/** Paths of removed parts with reasons, for the user. Lossless changes are not listed. */
	removedPaths: string[];
}

/** Maximum repetitions of a rule (llama.cpp, `MAX_REPETITION_THRESHOLD`), less one level for lists that may be empty. */
const MAX_REPETITIONS = 1998;

const TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);

/** Keywords whose values map names to schemas. */
const SCHEMA_MAP_KEYWORDS: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);

/** Keywords whose values are no schemas, though they may look like some. */
const VALUES: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples', 'required']);

/** Name of the definition for references to the whole schema (`{"$ref": "#"}`). */
const ROOT_DEFINITION = 'wholeSchema';

/** Why llama.cpp cannot turn a keyword into a grammar; undefined where it can. */
type Check = (value: unknown, schema: JsonRecord, root: JsonRecord) => string | undefined;

const CHECKS: Readonly<Record<string, Check>> = {
	// llama.cpp reads few patterns as JavaScript does.
	pattern: () => 'no grammar can match every pattern',
	$ref: (value, _schema, root) => referenceReason(value, root),
	type: (value) =>
		value === null || [value].flat().every((type) => TYPES.has(String(type)))
			? undefined
			: `unknown type ${JSON.stringify(value)}`,
	enum: (value) => (Array.isArray(value) && value.length > 0 ? undefined : 'empty'),
	minItems: countReason('Items'),
	maxItems: countReason('Items'),
	minLength: countReason('Length'),
	maxLength: countReason('Length'),
};

/**
 * Removes from a JSON schema what llama.cpp would refuse the request for, or worse: `minItems` above `maxItems` makes
 * llama-server allocate memory until it crashes. What llama.cpp only ignores (`not`, `if`, most of `format`) stays.
 * Source: llama.cpp v0.5.0 `common/json-schema-to-grammar.cpp`.
 */
export function toGrammarSchema(root: JsonRecord): CleanedSchema {
	const removedPaths: string[] = [];
	const node = (schema: JsonRecord, path: string): JsonRecord => {
		const cleaned: JsonRecord = {};
		for (const [key, value] of Object.entries(schema)) {
			const at = path === '' ? key : `${path}.${key}`;
			const reason = CHECKS[key]?.(value, schema, root);
			if (reason !== undefined) removedPaths.push(`${at} (${reason})`);
			else if (!isAddedByZod(key, value)) cleaned[key] = inner(key, value, at);
		}
		return cleaned;
	};
	const place = (value: unknown, at: string): unknown => {
		if (Array.isArray(value)) return value.map((one, index) => place(one, `${at}[${index}]`));
		// `true` allows anything, and is not known to llama.cpp.
		if (value === true) return {};
		return isRecord(value) ? node(value, at) : value;
	};
	const inner = (key: string, value: unknown, at: string): unknown => {
		if (key === '$ref' && value === '#') return `#/$defs/${ROOT_DEFINITION}`;
		if (key === 'additionalProperties' && typeof value === 'boolean') return value;
		if (VALUES.has(key) || typeof value === 'string') return value;
		if (!SCHEMA_MAP_KEYWORDS.has(key) || !isRecord(value)) return place(value, at);
		// A forbidden property is one that is not listed.
		const allowed = Object.entries(value).filter(([, one]) => one !== false);
		return Object.fromEntries(allowed.map(([name, one]) => [name, place(one, `${at}.${name}`)]));
	};
	const schema = node(root, '');
	return { schema: withRootDefinition(schema), removedPaths };
}

/** A reference to the whole needs a name for it. */
function withRootDefinition(schema: JsonRecord): JsonRecord {
	if (!JSON.stringify(schema).includes(`"#/$defs/${ROOT_DEFINITION}"`)) return schema;
	const { $defs, ...whole } = schema;
	return { ...whole, $defs: { ...asRecord($defs), [ROOT_DEFINITION]: whole } };
}

/** zod gives every integer the range of safe ones; older llama.cpp overflows at it. */
function isAddedByZod(key: string, value: unknown): boolean {
	const isBound = key === 'minimum' || key === 'maximum';
	return isBound && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

function countReason(quantity: 'Items' | 'Length'): Check {
	return (value, schema) => {
		if (!Number.isSafeInteger(value) || Number(value) < 0) return 'not a whole number';
		const least = asFiniteNumber(schema[`min${quantity}`]) ?? 0;
		const most = asFiniteNumber(schema[`max${quantity}`]) ?? Infinity;
		if (least > most) return `min${quantity} greater than max${quantity}`;
		return Number(value) > MAX_REPETITIONS ? `more than ${MAX_REPETITIONS}` : undefined;
	};
}

/** llama.cpp resolves references within the schema, without JSON Pointer's escapes. */
function referenceReason(reference: unknown, root: JsonRecord): string | undefined {
	if (reference === '#') return undefined;
	if (typeof reference !== 'string' || !reference.startsWith('#'))
		return 'reference to an external document';
	let target: unknown = root;
	for (const name of reference.slice('#/'.length).split('/'))
		target = isRecord(target) && Object.hasOwn(target, name) ? target[name] : undefined;
	return isRecord(target) ? undefined : 'unresolved reference';
}

/**
 * Refuses a JSON schema that would overflow the stack where it is read, copied or sent.
 *
 * @param where the schema, in words: "The JSON schema"
 * @throws {ServerError} of type `invalidInput`
 */
export function assertDepth(schema: unknown, where: string): void {
	if (!isTooDeep(schema)) return;
	throw createInputError(
		`${where} is nested too deeply (maximum ${MAX_DEPTH} levels)`,
		'Move recurring parts to $defs and reference them with $ref.',
	);
}
