/** Converts arguments to the types that the schema of their tool requires. */
import { hasDuplicateKeys } from '../../text/json-members';
import { repairJson } from '../../text/literals';
import type { JsonRecord } from '../../values/records';
import { asArray, asRecord, isRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { parseExactJson } from '../../values/exact-json';
import type { ParsedArguments } from '../tools/arguments';
import { getOwn } from '../../values/own-properties';

/** Deeper values are not changed. */
const MAX_DEPTH = 20;

/** Not `none` and `nil`, which are words (sgl-project/sglang, `minimax_m3.py`). */
const NULL_TEXT = /^(?:null|Null|NULL)$/;

/** What is known of the arguments of a call. */
interface CoercionOptions {
	/** Whether a text `null` is null wherever the schema allows it, because the call has only texts. Default: false. */
	hasNullTexts?: boolean;
}

/** The schema of a value, and how deep the value is nested. */
interface SchemaPlace {
	schema: JsonRecord;
	depth: number;
}

/** Maximum values and schema parts read per response: about 50 ms. */
const MAX_STEPS = 100_000;

/** Coerces the arguments of all calls of one response, which share the step limit and the cached schema checks. */
export class ArgumentCoercer {
	/** Numbers that stay texts although the schema accepts no text, because JavaScript cannot represent them. */
	readonly inexactNumbers: string[] = [];
	private steps = 0;
	private hasNullTexts = false;
	/** Per schema part: whether it excludes a type. */
	private readonly excluded = new Map<JsonRecord, Map<string, boolean>>();
	private readonly required = new Map<JsonRecord, ReadonlySet<unknown>>();

	/**
	 * Changes only values that the schema excludes: booleans, numbers, lists, objects and null written as text, and `null` for
	 * an optional field. A string stays a string if the schema accepts one, except for `null` in a call that has only texts.
	 *
	 * @returns the same arguments if nothing changes, which keeps the notation of numbers, or if coercion takes too long
	 */
	coerce(
		args: ParsedArguments,
		schema: JsonRecord,
		{ hasNullTexts = false }: CoercionOptions = {},
	): ParsedArguments {
		this.hasNullTexts = hasNullTexts;
		const value = this.coerceObject(args.value, { schema, depth: 0 });
		const isChanged = !this.isLimitReached && value !== args.value;
		return isChanged ? { json: JSON.stringify(value), value } : args;
	}

	/** Whether the arguments of the last call, and those after it, stay as they are because there are too many values. */
	get isLimitReached(): boolean {
		return this.steps > MAX_STEPS;
	}

	/** The same object if nothing changes. */
	private coerceObject(value: JsonRecord, { schema, depth }: SchemaPlace): JsonRecord {
		const otherSchema = this.getOtherSchema(schema);
		// Nothing is known of its properties: then it is not looked at.
		if (!isRecord(schema.properties) && otherSchema === undefined) return value;
		const properties = asRecord(schema.properties);
		let changed: Map<string, unknown> | undefined;
		for (const name of Object.keys(value)) {
			const fieldValue = getOwn(value, name);
			const isKnown = Object.hasOwn(properties, name);
			const fieldSchema = isKnown ? asRecord(getOwn(properties, name)) : otherSchema;
			if (fieldSchema === undefined) continue;
			const isOmitted = fieldValue === null && this.canOmit(name, { schema, fieldSchema });
			const coerced = isOmitted
				? undefined
				: this.coerceValue(fieldValue, { schema: fieldSchema, depth: depth + 1 });
			if (coerced === fieldValue) continue;
			changed ??= new Map(Object.entries(value));
			if (isOmitted) changed.delete(name);
			else changed.set(name, coerced);
		}
		return changed === undefined ? value : Object.fromEntries(changed);
	}

	/** The same list if nothing changes. */
	private coerceList(value: unknown[], { schema, depth }: SchemaPlace): unknown[] {
		let changed: unknown[] | undefined;
		for (const [index, item] of value.entries()) {
			const coerced = this.coerceValue(item, { schema, depth: depth + 1 });
			if (coerced === item) continue;
			changed ??= [...value];
			changed[index] = coerced;
		}
		return changed ?? value;
	}

	/** The schema of a field that has none of its own; undefined if its values stay as they are. */
	private getOtherSchema({ additionalProperties }: JsonRecord): JsonRecord | undefined {
		return this.hasNullTexts && additionalProperties !== false
			? asRecord(additionalProperties)
			: undefined;
	}

	/** Whether a field of an object with this schema may be missing, and may not be null. */
	private canOmit(
		name: string,
		{ schema, fieldSchema }: { schema: JsonRecord; fieldSchema: JsonRecord },
	): boolean {
		const required = this.required.get(schema) ?? new Set(asArray(schema.required));
		this.required.set(schema, required);
		return !required.has(name) && this.excludes(fieldSchema, 'null');
	}

	private coerceValue(value: unknown, place: SchemaPlace): unknown {
		const { schema, depth } = place;
		this.steps += 1;
		if (this.isLimitReached || depth > MAX_DEPTH) return value;
		if (this.isNullText(value, schema)) return null;
		if (typeof value === 'string' && this.excludes(schema, 'string')) {
			const parsed = this.parseText(value, schema);
			return parsed === undefined ? value : this.coerceValue(parsed, { schema, depth: depth + 1 });
		}
		if (isRecord(value)) return this.coerceObject(value, place);
		if (!Array.isArray(value) || (!isRecord(schema.items) && !this.hasNullTexts)) return value;
		return this.coerceList(value, { schema: asRecord(schema.items), depth });
	}

	/** Whether a value is a text that stands for null. A schema that accepts no text leaves no doubt. */
	private isNullText(value: unknown, schema: JsonRecord): boolean {
		if (typeof value !== 'string' || !NULL_TEXT.test(value) || this.excludes(schema, 'null'))
			return false;
		return this.hasNullTexts || this.excludes(schema, 'string');
	}

	/** The value that a text stands for; undefined if the schema does not accept it. */
	private parseText(text: string, schema: JsonRecord): unknown {
		const trimmed = text.trim();
		const word = trimmed.toLowerCase();
		const isBoolean = word === 'true' || word === 'false';
		if (isBoolean && !this.excludes(schema, 'boolean')) return word === 'true';
		const repaired = /^[[{]/.test(trimmed)
			? repairJson(trimmed)
			: { json: trimmed, value: parseJson(trimmed) };
		if (repaired === undefined) return undefined;
		const { json } = repaired;
		const { value } = parseExactJson(json, repaired.value);
		if (typeof value === 'number')
			return this.acceptsNumber(value, trimmed, schema) ? value : undefined;
		if (value === trimmed) this.noteInexactNumber(trimmed, schema);
		if (typeof value !== 'object') return undefined;
		// Of a key that occurs twice, one value would be lost.
		if (hasDuplicateKeys(json, value)) return undefined;
		if (Array.isArray(value)) return this.excludes(schema, 'array') ? undefined : value;
		return isRecord(value) && !this.excludes(schema, 'object') ? value : undefined;
	}

	/** A text that would be a number if JavaScript could represent it. */
	private noteInexactNumber(text: string, schema: JsonRecord): void {
		if (this.excludes(schema, 'integer') && this.excludes(schema, 'number')) return;
		this.inexactNumbers.push(text);
	}

	/** Whether a number keeps its digits and has a type that the schema accepts. */
	private acceptsNumber(value: number, text: string, schema: JsonRecord) {
		const isExact = Number.isFinite(value) && (String(value) === text || !/\d{16}/.test(text));
		const isInteger = Number.isInteger(value) && !this.excludes(schema, 'integer');
		return isExact && (isInteger || !this.excludes(schema, 'number'));
	}

	/** Whether a schema certainly rejects all values of a type. A schema without types excludes none. */
	private excludes(schema: JsonRecord, type: string): boolean {
		const resultByType = this.excluded.get(schema) ?? new Map<string, boolean>();
		this.excluded.set(schema, resultByType);
		const result = resultByType.get(type) ?? this.computeExclusion(schema, type);
		resultByType.set(type, result);
		return result;
	}

	private computeExclusion(schema: JsonRecord, type: string): boolean {
		this.steps += 1;
		if (this.isLimitReached) return false;
		const branches = [...asArray(schema.anyOf), ...asArray(schema.oneOf)];
		if (branches.length > 0)
			return branches.every((branch) => branch === false || this.excludes(asRecord(branch), type));
		return excludesDirectly(schema, type);
	}
}

function excludesDirectly(schema: JsonRecord, type: string) {
	if (schema.enum !== undefined)
		return asArray(schema.enum).every((value) => getJsonType(value) !== type);
	const types = [schema.type].flat().filter((value) => typeof value === 'string');
	if (types.length === 0) return false;
	return !types.includes(type) && !(type === 'integer' && types.includes('number'));
}

function getJsonType(value: unknown): string {
	if (value === null) return 'null';
	return Array.isArray(value) ? 'array' : typeof value;
}
