import { isRecord } from '../../values';
import { grammarPattern, MAX_REPETITIONS } from './pattern';

export interface CleanedSchema {
	schema: Record<string, unknown>;
	/** Paths of removed parts with reasons, for the user. Lossless changes are not listed. */
	dropped: string[];
}

type Schema = Record<string, unknown>;

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
export function cleanSchema(schema: Record<string, unknown>): CleanedSchema {
	const cleaner = new Cleaner(schema);
	return { schema: cleaner.run(), dropped: cleaner.dropped };
}

class Cleaner {
	readonly dropped: string[] = [];
	private usesWhole = false;

	constructor(private readonly root: Schema) {}

	run(): Schema {
		const cleaned = this.node(this.root, '');
		if (!this.usesWhole) return cleaned;
		const { $defs, ...whole } = cleaned;
		return { ...whole, $defs: { ...(isRecord($defs) ? $defs : {}), [WHOLE]: whole } };
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
		if (value !== true)
			this.drop(path, value === false ? 'nothing is allowed here' : 'not a schema');
		return {};
	}

	private drop(path: string, reason: string): undefined {
		this.dropped.push(`${path} (${reason})`);
		return undefined;
	}

	/** The cleaned keyword; undefined if it is removed. */
	private keyword(key: string, value: unknown, schema: Schema, path: string): Schema | undefined {
		switch (key) {
			case 'properties':
				if (!isRecord(value)) return this.drop(path, 'not an object');
				// `false` forbids a property; leaving it out does the same, since unlisted ones are forbidden.
				return {
					[key]: this.named(
						Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== false)),
						path,
					),
				};
			case '$defs':
			case 'definitions':
				return isRecord(value)
					? { [key]: this.named(value, path) }
					: this.drop(path, 'not an object');
			case 'items':
				return this.items(value, schema, path);
			case 'prefixItems':
				return {
					[key]: Array.isArray(value)
						? value.map((item, index) => this.place(item, `${path}[${index}]`))
						: this.place(value, path),
				};
			case 'additionalProperties':
				if (typeof value === 'boolean') return { [key]: value };
				return isRecord(value)
					? { [key]: this.node(value, path) }
					: this.drop(path, 'not a schema');
			case 'anyOf':
			case 'oneOf':
			case 'allOf':
				return this.alternatives(key, value, path);
			case '$ref':
				return this.reference(value, schema, path);
			case 'type':
				return this.type(value, path);
			case 'enum':
				return Array.isArray(value) && value.length > 0
					? { enum: value }
					: this.drop(path, Array.isArray(value) ? 'empty' : 'not a list');
			case 'format':
				return typeof value === 'string' ? { format: value } : this.drop(path, 'not a text');
			case 'pattern':
				return this.pattern(value, path);
			case 'minLength':
			case 'maxLength':
			case 'minItems':
			case 'maxItems':
				return this.count(key, value, schema, path);
			case 'minimum':
			case 'maximum':
			case 'exclusiveMinimum':
			case 'exclusiveMaximum':
				return this.bound(key, value, schema, path);
			default:
				return { [key]: value };
		}
	}

	/** Schemas by name. The names are not keywords: a property may be called "pattern". */
	private named(schemas: Schema, path: string): Schema {
		return Object.fromEntries(
			Object.entries(schemas).map(([name, inner]) => [name, this.place(inner, `${path}.${name}`)]),
		);
	}

	private items(value: unknown, schema: Schema, path: string): Schema | undefined {
		if (Array.isArray(value))
			return { items: value.map((item, index) => this.place(item, `${path}[${index}]`)) };
		if (value !== false) return { items: this.place(value, path) };
		// "No further items": without prefixItems an empty list, with them llama.cpp's default.
		return 'prefixItems' in schema ? {} : { items: {}, maxItems: 0 };
	}

	private alternatives(key: string, value: unknown, path: string): Schema | undefined {
		if (!Array.isArray(value)) return this.drop(path, 'not a list');
		const possible = key === 'allOf' ? value : value.filter((one) => one !== false);
		if (possible.length === 0) return this.drop(path, 'empty');
		return { [key]: possible.map((one, index) => this.place(one, `${path}[${index}]`)) };
	}

	private reference(value: unknown, holder: Schema, path: string): Schema | undefined {
		if (typeof value !== 'string') return this.drop(path, 'not a text');
		if (!value.startsWith('#')) return this.drop(path, 'reference to another document');
		const target = this.targetOf(value);
		if (target === undefined) return this.drop(path, 'reference that leads nowhere');
		// Its grammar rule would begin with itself, which llama-server refuses as left recursion.
		if (this.leadsTo(target, holder)) return this.drop(path, 'reference that leads back to itself');
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
	private leadsTo(from: unknown, wanted: Schema, seen = new Set<unknown>()): boolean {
		if (from === wanted) return true;
		if (!isRecord(from) || seen.has(from)) return false;
		seen.add(from);
		const next =
			typeof from.$ref === 'string'
				? [this.targetOf(from.$ref)]
				: [from.anyOf, from.oneOf, from.allOf].filter(Array.isArray).flat();
		return next.some((one) => this.leadsTo(one, wanted, seen));
	}

	private type(value: unknown, path: string): Schema | undefined {
		if (value === null) return { type: value };
		const types = [value].flat();
		const known = types.filter((type) => typeof type === 'string' && TYPES.has(type));
		if (known.length === types.length && known.length > 0) return { type: value };
		this.drop(path, types.length === 0 ? 'empty' : `unknown type ${JSON.stringify(value)}`);
		return known.length > 0 ? { type: known } : undefined;
	}

	private pattern(value: unknown, path: string): Schema | undefined {
		if (typeof value !== 'string') return this.drop(path, 'not a text');
		const result = grammarPattern(value);
		return 'pattern' in result ? result : this.drop(path, result.reason);
	}

	private count(
		key: 'minLength' | 'maxLength' | 'minItems' | 'maxItems',
		value: unknown,
		schema: Schema,
		path: string,
	): Schema | undefined {
		if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
			return this.drop(path, 'not a whole number');
		const what = key.slice(3);
		const { [`min${what}`]: least, [`max${what}`]: most } = schema;
		if (typeof least === 'number' && typeof most === 'number' && least > most)
			return this.drop(path, `min${what} above max${what}`);
		const limit =
			key === 'maxItems' && !(typeof least === 'number' && least > 0)
				? MAX_ITEMS_FROM_NONE
				: MAX_REPETITIONS;
		return value > limit ? this.drop(path, `more than ${limit}`) : { [key]: value };
	}

	/** llama.cpp enforces bounds of integers only. */
	private bound(key: string, value: unknown, { type }: Schema, path: string): Schema | undefined {
		if (![type].flat().includes('integer')) return { [key]: value };
		if (typeof value !== 'number') return this.drop(path, 'not a number');
		if (Math.abs(value) < Number.MAX_SAFE_INTEGER) return { [key]: value };
		// zod adds the range of safe integers to every integer; it is not intended, and older llama.cpp overflows.
		return Math.abs(value) === Number.MAX_SAFE_INTEGER
			? undefined
			: this.drop(path, 'out of range');
	}
}
