import { finiteNumber, isRecord, type JsonRecord, recordOf } from '../../values';
import { grammarPattern, MAX_REPETITIONS } from './pattern';

interface CleanedSchema {
	schema: JsonRecord;
	/** Paths of removed parts with reasons, for the user. Lossless changes are not listed. */
	dropped: string[];
}

type Schema = JsonRecord;

interface Keyword {
	key: string;
	value: unknown;
	/** The schema that has the keyword. */
	schema: Schema;
	path: string;
}

/**
 * Lower than `MAX_REPETITIONS`, because the grammar of a list that may be empty has an extra level. Tested with
 * llama.cpp v0.5.0.
 */
const MAX_ITEMS_FROM_NONE = 1998;

const TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);
/** Name of the definition for references to the whole schema (`{"$ref": "#"}`). */
const WHOLE = 'wholeSchema';

/**
 * Removes from a JSON schema what llama.cpp cannot convert to a grammar and would refuse the request for, or worse:
 * `minItems` above `maxItems` makes llama-server allocate memory until it crashes. What llama.cpp only ignores (`not`,
 * `if`, most of `format`) stays. Source: llama.cpp v0.5.0 `common/json-schema.cpp` and
 * `common/json-schema-to-grammar.cpp`; older releases support less.
 */
export function cleanSchema(schema: JsonRecord): CleanedSchema {
	const cleaner = new Cleaner(schema);
	return { schema: cleaner.run(), dropped: cleaner.dropped };
}

class Cleaner {
	readonly dropped: string[] = [];
	private usesWhole = false;

	/** What becomes of each keyword that llama.cpp reads. */
	private readonly rules: Readonly<Record<string, (keyword: Keyword) => Schema | undefined>> = {
		properties: this.properties,
		$defs: this.definitions,
		definitions: this.definitions,
		items: this.items,
		prefixItems: this.prefixItems,
		additionalProperties: this.additionalProperties,
		anyOf: this.alternatives,
		oneOf: this.alternatives,
		allOf: this.alternatives,
		$ref: this.reference,
		type: this.type,
		enum: this.enumeration,
		format: this.format,
		pattern: this.pattern,
		minLength: this.count,
		maxLength: this.count,
		minItems: this.count,
		maxItems: this.count,
		minimum: this.bound,
		maximum: this.bound,
		exclusiveMinimum: this.bound,
		exclusiveMaximum: this.bound,
	};

	constructor(private readonly root: Schema) {}

	run(): Schema {
		const cleaned = this.node(this.root, '');
		if (!this.usesWhole) return cleaned;
		const { $defs, ...whole } = cleaned;
		return { ...whole, $defs: { ...recordOf($defs), [WHOLE]: whole } };
	}

	private node(schema: Schema, path: string): Schema {
		const cleaned: Schema = {};
		for (const [key, value] of Object.entries(schema)) {
			const result = this.keyword(key, value, schema, path === '' ? key : `${path}.${key}`);
			if (result !== undefined) Object.assign(cleaned, result);
		}
		return cleaned;
	}

	/** A value that must be a schema. `true` (anything) becomes the empty schema, since llama.cpp does not support it. */
	private place(value: unknown, path: string): Schema {
		if (isRecord(value)) return this.node(value, path);
		if (value === false) this.drop(path, 'nothing is allowed here');
		else if (value !== true) this.drop(path, 'not a schema');
		return {};
	}

	private drop(path: string, reason: string): undefined {
		this.dropped.push(`${path} (${reason})`);
		return undefined;
	}

	/** The cleaned keyword; undefined if it is removed. Keywords without a rule stay as they are. */
	private keyword(key: string, value: unknown, schema: Schema, path: string): Schema | undefined {
		const rule = Object.hasOwn(this.rules, key) ? this.rules[key] : undefined;
		if (rule === undefined) return { [key]: value };
		return rule.call(this, { key, value, schema, path });
	}

	private properties({ value, path }: Keyword): Schema | undefined {
		if (!isRecord(value)) return this.drop(path, 'not an object');
		// `false` forbids a property; leaving it out does the same, since unlisted ones are forbidden.
		const allowed = Object.entries(value).filter(([, inner]) => inner !== false);
		return { properties: this.schemasByName(Object.fromEntries(allowed), path) };
	}

	private definitions({ key, value, path }: Keyword): Schema | undefined {
		if (!isRecord(value)) return this.drop(path, 'not an object');
		return { [key]: this.schemasByName(value, path) };
	}

	/** The names are not keywords: a property may be called "pattern". */
	private schemasByName(schemas: Schema, path: string): Schema {
		const cleaned = Object.entries(schemas).map(([name, inner]) => [
			name,
			this.place(inner, `${path}.${name}`),
		]);
		return Object.fromEntries(cleaned) as Schema;
	}

	private listOfSchemas(values: readonly unknown[], path: string): Schema[] {
		return values.map((value, index) => this.place(value, `${path}[${index}]`));
	}

	private items({ value, schema, path }: Keyword): Schema | undefined {
		if (Array.isArray(value)) return { items: this.listOfSchemas(value, path) };
		if (value !== false) return { items: this.place(value, path) };
		// "No further items": without prefixItems an empty list, with them llama.cpp's default.
		return 'prefixItems' in schema ? {} : { items: {}, maxItems: 0 };
	}

	private prefixItems({ value, path }: Keyword): Schema {
		if (Array.isArray(value)) return { prefixItems: this.listOfSchemas(value, path) };
		return { prefixItems: this.place(value, path) };
	}

	private additionalProperties({ key, value, path }: Keyword): Schema | undefined {
		if (typeof value === 'boolean') return { [key]: value };
		if (isRecord(value)) return { [key]: this.node(value, path) };
		return this.drop(path, 'not a schema');
	}

	private alternatives({ key, value, path }: Keyword): Schema | undefined {
		if (!Array.isArray(value)) return this.drop(path, 'not a list');
		const possible = key === 'allOf' ? value : value.filter((one) => one !== false);
		if (possible.length === 0) return this.drop(path, 'empty');
		return { [key]: this.listOfSchemas(possible, path) };
	}

	private reference({ value, schema, path }: Keyword): Schema | undefined {
		if (typeof value !== 'string') return this.drop(path, 'not a text');
		if (!value.startsWith('#')) return this.drop(path, 'reference to another document');
		const target = this.targetOf(value);
		if (target === undefined) return this.drop(path, 'reference that leads nowhere');
		// Its grammar rule would begin with itself, which llama-server refuses as left recursion.
		if (this.leadsTo(target, schema)) return this.drop(path, 'reference that leads back to itself');
		if (value !== '#') return { $ref: value };
		this.usesWhole = true;
		return { $ref: `#/$defs/${WHOLE}` };
	}

	/** Resolves a reference as llama.cpp does: without JSON Pointer's escapes. */
	private targetOf(reference: string): Schema | true | undefined {
		if (reference === '#') return this.root;
		if (!reference.startsWith('#/')) return undefined;
		let target: unknown = this.root;
		for (const name of reference.slice(2).split('/')) {
			if (typeof target !== 'object' || target === null || !Object.hasOwn(target, name))
				return undefined;
			target = (target as Schema)[name];
		}
		return isRecord(target) || target === true ? target : undefined;
	}

	/**
	 * Whether a schema refers to another one for the same value: by references and alternatives, not through a property
	 * or an item.
	 */
	private leadsTo(from: unknown, destination: Schema, visited = new Set<unknown>()): boolean {
		if (from === destination) return true;
		if (!isRecord(from) || visited.has(from)) return false;
		visited.add(from);
		const next =
			typeof from.$ref === 'string'
				? [this.targetOf(from.$ref)]
				: [from.anyOf, from.oneOf, from.allOf].filter(Array.isArray).flat();
		return next.some((one) => this.leadsTo(one, destination, visited));
	}

	private type({ value, path }: Keyword): Schema | undefined {
		if (value === null) return { type: value };
		const types = [value].flat();
		const validTypes = types.filter((type) => typeof type === 'string' && TYPES.has(type));
		if (validTypes.length === types.length && validTypes.length > 0) return { type: value };
		this.drop(path, types.length === 0 ? 'empty' : `unknown type ${JSON.stringify(value)}`);
		return validTypes.length > 0 ? { type: validTypes } : undefined;
	}

	private enumeration({ value, path }: Keyword): Schema | undefined {
		if (!Array.isArray(value)) return this.drop(path, 'not a list');
		if (value.length === 0) return this.drop(path, 'empty');
		return { enum: value };
	}

	private format({ value, path }: Keyword): Schema | undefined {
		if (typeof value !== 'string') return this.drop(path, 'not a text');
		return { format: value };
	}

	private pattern({ value, path }: Keyword): Schema | undefined {
		if (typeof value !== 'string') return this.drop(path, 'not a text');
		const result = grammarPattern(value);
		return 'pattern' in result ? result : this.drop(path, result.reason);
	}

	private count({ key, value, schema, path }: Keyword): Schema | undefined {
		if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
			return this.drop(path, 'not a whole number');
		const quantity = key.slice('min'.length);
		const minimum = finiteNumber(schema[`min${quantity}`]) ?? 0;
		const maximum = finiteNumber(schema[`max${quantity}`]) ?? Infinity;
		if (minimum > maximum) return this.drop(path, `min${quantity} above max${quantity}`);
		const limit = key === 'maxItems' && minimum <= 0 ? MAX_ITEMS_FROM_NONE : MAX_REPETITIONS;
		return value > limit ? this.drop(path, `more than ${limit}`) : { [key]: value };
	}

	/** llama.cpp enforces bounds of integers only. */
	private bound({ key, value, schema, path }: Keyword): Schema | undefined {
		if (![schema.type].flat().includes('integer')) return { [key]: value };
		if (typeof value !== 'number') return this.drop(path, 'not a number');
		const size = Math.abs(value);
		if (size > Number.MAX_SAFE_INTEGER) return this.drop(path, 'out of range');
		// zod adds the range of safe integers to every integer; it is not intended, and older llama.cpp overflows.
		return size === Number.MAX_SAFE_INTEGER ? undefined : { [key]: value };
	}
}
