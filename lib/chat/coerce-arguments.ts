/** Fits the arguments of a call to the schema of its tool, where a model wrote the right value in the wrong type. */
import { parseJson } from '../json';
import { asArray, isRecord, type JsonRecord, asRecord } from '../values';

/** Deeper parts of arguments stay as they are. */
const MAX_DEPTH = 20;
/** Limit for the values and parts of schemas that are read for one response: about 50 ms. */
const MAX_STEPS = 100_000;

/** Fits the arguments of all calls of one response: they share the steps, and what is known of each schema. */
export class ArgumentFitter {
	private steps = 0;
	/** By part of a schema, the types that it excludes or does not. */
	private readonly excluded = new Map<JsonRecord, Map<string, boolean>>();
	private readonly required = new Map<JsonRecord, ReadonlySet<unknown>>();

	/**
	 * Only values that the schema excludes are changed: texts of booleans, numbers, lists and objects, and `null` for a
	 * field that may be left out. What the schema calls a string stays one.
	 *
	 * @param args JSON text of an object
	 * @returns the same text if nothing has to be changed, so that numbers stay as they were written, and if it would
	 *   take too long
	 */
	fitted(args: string, schema: JsonRecord): string {
		const value = parseJson(args);
		if (!isRecord(value)) return args;
		const fitted = JSON.stringify(this.fitObject(value, schema, 0));
		return this.isOver || fitted === JSON.stringify(value) ? args : fitted;
	}

	private get isOver(): boolean {
		return this.steps > MAX_STEPS;
	}

	private fitObject(value: JsonRecord, schema: JsonRecord, depth: number): JsonRecord {
		const properties = asRecord(schema.properties);
		const entries = Object.entries(value).flatMap(([name, inner]): Array<[string, unknown]> => {
			if (!Object.hasOwn(properties, name)) return [[name, inner]];
			const ofField = asRecord(properties[name]);
			const isOmitted = inner === null && this.mayOmit(name, schema, ofField);
			return isOmitted ? [] : [[name, this.fit(inner, ofField, depth + 1)]];
		});
		return Object.fromEntries(entries);
	}

	private mayOmit(name: string, schema: JsonRecord, ofField: JsonRecord): boolean {
		const required = this.required.get(schema) ?? new Set(asArray(schema.required));
		this.required.set(schema, required);
		return !required.has(name) && this.excludes(ofField, 'null');
	}

	private fit(value: unknown, schema: JsonRecord, depth: number): unknown {
		this.steps += 1;
		if (this.isOver || depth > MAX_DEPTH) return value;
		if (typeof value === 'string' && this.excludes(schema, 'string')) {
			const read = this.readText(value, schema);
			return read === undefined ? value : this.fit(read, schema, depth + 1);
		}
		if (isRecord(value)) return this.fitObject(value, schema, depth);
		if (!Array.isArray(value) || !isRecord(schema.items)) return value;
		const { items } = schema;
		return value.map((one: unknown) => this.fit(one, items, depth + 1));
	}

	/** What a text means if none is wanted; undefined if it means nothing that the schema accepts. */
	private readText(text: string, schema: JsonRecord): unknown {
		const trimmed = text.trim();
		const word = trimmed.toLowerCase();
		const isBoolean = word === 'true' || word === 'false';
		if (isBoolean && !this.excludes(schema, 'boolean')) return word === 'true';
		const value = parseJson(trimmed);
		if (typeof value === 'number')
			return this.isAccepted(value, trimmed, schema) ? value : undefined;
		if (Array.isArray(value)) return this.excludes(schema, 'array') ? undefined : value;
		return isRecord(value) && !this.excludes(schema, 'object') ? value : undefined;
	}

	/** A number that keeps its digits, of a type that the schema accepts. */
	private isAccepted(value: number, written: string, schema: JsonRecord): boolean {
		const isExact =
			Number.isFinite(value) && (String(value) === written || !/\d{16}/.test(written));
		const isWhole = Number.isInteger(value) && !this.excludes(schema, 'integer');
		return isExact && (isWhole || !this.excludes(schema, 'number'));
	}

	/** Whether a schema certainly accepts no value of a type. One that says nothing excludes nothing. */
	private excludes(schema: JsonRecord, type: string): boolean {
		const known = this.excluded.get(schema) ?? new Map<string, boolean>();
		this.excluded.set(schema, known);
		const result = known.get(type) ?? this.excludesNew(schema, type);
		known.set(type, result);
		return result;
	}

	private excludesNew(schema: JsonRecord, type: string): boolean {
		this.steps += 1;
		if (this.isOver) return false;
		const branches = [...asArray(schema.anyOf), ...asArray(schema.oneOf)].filter(isRecord);
		if (branches.length > 0) return branches.every((branch) => this.excludes(branch, type));
		return excludesByItself(schema, type);
	}
}

function excludesByItself(schema: JsonRecord, type: string): boolean {
	if (schema.enum !== undefined)
		return asArray(schema.enum).every((value) => typeOf(value) !== type);
	const types = [schema.type].flat().filter((one) => typeof one === 'string');
	if (types.length === 0) return false;
	return !types.includes(type) && !(type === 'integer' && types.includes('number'));
}

function typeOf(value: unknown): string {
	if (value === null) return 'null';
	return Array.isArray(value) ? 'array' : typeof value;
}
