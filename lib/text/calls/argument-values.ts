/** Arguments that marks name, and their values as JSON. */
import { parseJsonExactly } from '../../values';
import { repairJson } from '../literals';
import type { CallProblem } from './types';

/** One argument. */
export interface NamedArgument {
	key: string;
	/** The value as JSON text. */
	json: string;
}

/** Arguments as they were read. */
export interface NamedArguments {
	list: NamedArgument[];
	/** What is wrong with the first one that could not be read. */
	problem?: CallProblem;
}

/** A list or an object as JSON, otherwise a text, which is converted to the type that the tool's schema requires. */
export function toJson(value: string): string {
	const isStructured = /^\s*[[{]/.test(value);
	// Seed-OSS writes lists like Python.
	const parsed = isStructured ? parseJsonExactly(repairJson(value.trim()) ?? '') : undefined;
	return JSON.stringify(parsed ?? value);
}

/** JSON text of an object, in which a key may occur twice. */
export function toObject(list: readonly NamedArgument[]): string {
	const members = list.map(({ key, json }) => `${JSON.stringify(key)}:${json}`);
	return `{${members.join(',')}}`;
}
