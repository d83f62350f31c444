/** Which fields of a node a model fills in: those with n8n's `$fromAI` in their expression. */
import type { INode } from 'n8n-workflow';
import { isRecord } from '../values/records';

/** n8n's call, and the name of the argument that the model passes. */
const FROM_MODEL = /\$fromAI\(\s*(?:['"`]([^'"`]{1,100})['"`])?/gi;

/** Nested parameters of n8n have a few levels: collections, their entries, values. */
const MAX_LEVELS = 10;

/**
 * Whether the field with a label is one that the model fills in, by the name of its parameter, of the argument, or of the
 * entry of a list that has the value.
 *
 * @param node - With its parameters as the author wrote them, expressions included.
 */
export function isFilledByModel({ parameters }: Pick<INode, 'parameters'>, label: string): boolean {
	return collectNames(parameters, [], MAX_LEVELS).some((name) => toKey(name) === toKey(label));
}

/** @param names - Of what contains the value, from the outside to the inside. */
function collectNames(value: unknown, names: readonly string[], levels: number): string[] {
	if (typeof value === 'string') {
		const calls = [...value.matchAll(FROM_MODEL)];
		return calls.length === 0 ? [] : [...names, ...calls.flatMap(([, argument = []]) => argument)];
	}
	if (levels === 0) return [];
	if (Array.isArray(value))
		return value.flatMap((entry) => collectNames(entry, getTexts(entry), levels - 1));
	if (!isRecord(value)) return [];
	return Object.entries(value).flatMap(([name, inner]) =>
		collectNames(inner, [...names, name], levels - 1),
	);
}

/** An entry of a list names its value beside it. */
function getTexts(entry: unknown): string[] {
	return isRecord(entry) ? Object.values(entry).filter((text) => typeof text === 'string') : [];
}

/** Labels, names of parameters and of arguments differ in capitals and in what is between words. */
function toKey(name: string): string {
	return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}
