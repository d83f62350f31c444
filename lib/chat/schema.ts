import { isRecord } from '../transport/failure';

export interface CleanedSchema {
	schema: Record<string, unknown>;
	/** What was taken out, as paths with a reason, for the user. Rewriting without loss is not named. */
	dropped: string[];
}

/** Grammars refuse to repeat a rule more often (llama.cpp, `MAX_REPETITION_THRESHOLD`). */
const MOST_REPETITIONS = 2000;

const TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);

/**
 * Takes out of a JSON schema what llama.cpp cannot turn into a grammar and would refuse the whole request for: patterns beyond its
 * small regular-expression language, huge repetitions and bounds, unknown types, empty enumerations, remote references. What
 * llama.cpp merely ignores (`format`, `not`, `if`) stays. Source: llama.cpp v0.5.0 `common/json-schema-to-grammar.cpp`.
 */
export function cleanSchema(schema: Record<string, unknown>): CleanedSchema {
	const dropped: string[] = [];
	return { schema: clean(schema, '', dropped) as Record<string, unknown>, dropped };
}

function clean(value: unknown, path: string, dropped: string[]): unknown {
	if (Array.isArray(value)) return value.map((item, index) => clean(item, `${path}[${index}]`, dropped));
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).flatMap(([key, inner]): Array<[string, unknown]> => {
			const place = path === '' ? key : `${path}.${key}`;
			const reason = whyNot(key, inner);
			if (reason !== undefined) {
				dropped.push(`${place} (${reason})`);
				return [];
			}
			return [[key, cleanKeyword(key, inner, place, dropped)]];
		}),
	);
}

/** Keywords whose values are names or data, not schemas, are left alone: a property may well be called "pattern". */
function cleanKeyword(key: string, value: unknown, path: string, dropped: string[]): unknown {
	switch (key) {
		case 'properties':
		case 'patternProperties':
		case '$defs':
		case 'definitions':
		case 'dependentSchemas':
			if (!isRecord(value)) return value;
			return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, subschema(inner, `${path}.${name}`, dropped)]));
		case 'items':
		case 'additionalProperties':
		case 'prefixItems':
		case 'anyOf':
		case 'oneOf':
		case 'allOf':
			return subschema(value, path, dropped);
		case 'pattern': {
			const result = typeof value === 'string' ? grammarPattern(value) : undefined;
			return result !== undefined && 'pattern' in result ? result.pattern : value;
		}
		default:
			return value;
	}
}

function subschema(value: unknown, path: string, dropped: string[]): unknown {
	// `true` means "anything", which llama.cpp knows as the empty schema only.
	if (value === true && !path.endsWith('additionalProperties')) return {};
	return clean(value, path, dropped);
}

function whyNot(key: string, value: unknown): string | undefined {
	switch (key) {
		case 'pattern':
			return typeof value === 'string' ? reasonOf(grammarPattern(value)) : 'not a text';
		case 'minLength':
		case 'maxLength':
		case 'minItems':
		case 'maxItems':
			return typeof value === 'number' && value > MOST_REPETITIONS ? `more than ${MOST_REPETITIONS}` : undefined;
		case 'minimum':
		case 'maximum':
		case 'exclusiveMinimum':
		case 'exclusiveMaximum':
			// zod writes the safe-integer range for every whole number.
			return typeof value === 'number' && Math.abs(value) >= Number.MAX_SAFE_INTEGER ? 'out of range' : undefined;
		case 'type':
			return [value].flat().every((type) => typeof type === 'string' && TYPES.has(type)) ? undefined : `unknown type ${JSON.stringify(value)}`;
		case 'enum':
			return Array.isArray(value) && value.length === 0 ? 'empty' : undefined;
		case '$ref':
			return typeof value === 'string' && !value.startsWith('#') ? 'reference to another document' : undefined;
		default:
			return undefined;
	}
}

function reasonOf(result: { pattern: string } | { reason: string }): string | undefined {
	return 'reason' in result ? result.reason : undefined;
}

/** Shorthands that grammars do not know, as the insides of a character class. */
const SHORTHANDS: Record<string, string> = { d: '0-9', w: 'A-Za-z0-9_', s: ' \\t\\n\\r' };
/** Escapes that grammars know inside a class; outside, `^$.[]()|{}*+?` too. */
const CLASS_ESCAPES = 'trn\\"[]-';
const OUTER_ESCAPES = `${CLASS_ESCAPES}^$.()|{}*+?`;

/** The pattern in llama.cpp's regular-expression language, or why it cannot be said there. */
function grammarPattern(pattern: string): { pattern: string } | { reason: string } {
	if (!pattern.startsWith('^') || !/(^|[^\\])(\\\\)*\$$/.test(pattern)) return { reason: 'pattern without ^ and $' };
	const inner = pattern.slice(1, -1);
	if (/\(\?(?!:)/.test(inner)) return { reason: 'pattern with look-around' };
	const counts = [...inner.matchAll(/\{(\d*),?(\d*)\}/g)].flatMap(([, least, most]) => [Number(least), Number(most)]);
	if (counts.some((count) => count > MOST_REPETITIONS)) return { reason: `pattern that repeats more than ${MOST_REPETITIONS} times` };
	let out = '';
	let inClass = false;
	for (let i = 0; i < inner.length; i++) {
		const char = inner[i]!;
		if (char === '\\') {
			const next = inner[++i] ?? '';
			const shorthand = SHORTHANDS[next];
			if (shorthand !== undefined) out += inClass ? shorthand : `[${shorthand}]`;
			else if ((inClass ? CLASS_ESCAPES : OUTER_ESCAPES).includes(next)) out += `\\${next}`;
			// An escaped sign that means just itself.
			else if (/[^A-Za-z0-9]/.test(next)) out += next;
			else return { reason: `pattern with \\${next}` };
			continue;
		}
		if (char === '[') inClass = true;
		else if (char === ']') inClass = false;
		else if (!inClass && (char === '^' || char === '$')) return { reason: 'pattern with an inner anchor' };
		out += char;
	}
	return { pattern: `^${out}$` };
}
