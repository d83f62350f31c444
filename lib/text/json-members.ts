/** The members of JSON text, with the source of each value: a parsed number has lost its digits, a parsed key its twin. */
import { JsonMemory } from '../json-memory';
import { BRACKETS, JsonSigns, SEPARATORS } from '../values/json-signs';
import { getOwn } from '../values/own-properties';

/** A member of an object, or an element of a list. */
export interface JsonMember {
	/** Undefined in lists. */
	key: string | undefined;
	/** JSON text of the value. */
	value: string;
}

/**
 * Splits an object or a list. Keys that occur twice are returned twice.
 *
 * @param json valid JSON of an object or a list
 */
export function splitJson(json: string): JsonMember[] {
	const members: JsonMember[] = [];
	let depth = 0;
	let start = 0;
	let key: string | undefined;
	const endMember = (end: number) => {
		const value = json.slice(start, end).trim();
		if (value !== '') members.push({ key, value });
		key = undefined;
	};
	for (const { sign, index } of findSigns(json)) {
		if (sign === '{' || sign === '[') {
			depth += 1;
			if (depth === 1) start = index + 1;
		} else if (sign === '}' || sign === ']') {
			if (depth === 1) endMember(index);
			depth -= 1;
		} else if (depth === 1 && sign === ',') {
			endMember(index);
			start = index + 1;
		} else if (depth === 1) {
			key = JSON.parse(json.slice(start, index)) as string;
			start = index + 1;
		}
	}
	return members;
}

/**
 * The number of members and elements in JSON text, or at least one more than the maximum. Counted before anything is parsed.
 */
export function countSigns(json: string, max: number): number {
	let count = 0;
	for (const { sign } of findSigns(json)) {
		if (sign === ',' || sign === ':') count += 1;
		if (count > max) break;
	}
	return count;
}

interface Sign {
	/** A bracket, a comma or a colon. */
	sign: string;
	index: number;
}

/** The signs of JSON outside of strings, in their order. */
function* findSigns(json: string): Generator<Sign> {
	const signs = new JsonSigns(BRACKETS | SEPARATORS);
	for (let index = signs.next(json, 0); index < json.length; index = signs.next(json, index + 1))
		yield { sign: json.charAt(index), index };
}

/**
 * Whether an object in JSON text has a key twice, at any depth: parsers keep the last value and lose the other.
 *
 * @param json valid JSON
 * @param value the parsed JSON
 */
export function hasDuplicateKeys(json: string, value: unknown): boolean {
	const memory = new JsonMemory();
	memory.add(json);
	return memory.properties > countProperties(value);
}

/** The properties of all objects in a value. `Object.keys` is several times as fast as `Object.values`. */
function countProperties(value: unknown): number {
	if (typeof value !== 'object' || value === null) return 0;
	let count = 0;
	if (Array.isArray(value)) {
		for (let index = 0; index < value.length; index++) count += countProperties(value[index]);
		return count;
	}
	for (const name of Object.keys(value))
		count += 1 + countProperties(getOwn(value as Record<string, unknown>, name));
	return count;
}

/**
 * The keys that an object in JSON text has twice, at any depth, each once.
 *
 * @param json valid JSON
 */
export function findDuplicateKeys(json: string): string[] {
	const duplicates = new Set<string>();
	const keysByDepth: Array<Set<string>> = [];
	let start = 0;
	for (const { sign, index } of findSigns(json)) {
		if (sign === '{' || sign === '[') keysByDepth.push(new Set());
		else if (sign === '}' || sign === ']') keysByDepth.pop();
		else if (sign === ':') {
			const keys = keysByDepth.at(-1)!;
			const key = JSON.parse(json.slice(start, index)) as string;
			if (keys.has(key)) duplicates.add(key);
			keys.add(key);
		}
		start = index + 1;
	}
	return [...duplicates];
}
