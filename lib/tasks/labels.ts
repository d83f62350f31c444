/** Labels of a classification: the model writes a key of one character for each. */
import type { JsonRecord } from '../values';

export interface Label {
	name: string;
	description?: string;
}

/** Characters that are one token in the vocabulary of every model. */
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const MAX_LABELS = CHARACTERS.length;

/**
 * Assigns a key to each label: the character that the model writes instead of the name, so that one token is enough. If
 * the name is such a character, it is also the key, so that no response is ambiguous.
 */
export function assignKeys(labels: readonly Label[]): string[] {
	const names = new Set(labels.map(({ name }) => lower(name)));
	const nameKeys = labels.map(({ name }) =>
		isUsableAsKey(name.trim(), names) ? name.trim() : undefined,
	);
	const unusedKeys = [...CHARACTERS].filter((character) => !nameKeys.includes(character));
	const freeKeys = [
		...unusedKeys.filter((character) => !names.has(lower(character))),
		...unusedKeys.filter((character) => names.has(lower(character))),
	];
	return nameKeys.map((character) => character ?? freeKeys.shift()!);
}

/** Whether a name can be its key: a model limited to keys that tries to write "10" would write "1". */
function isUsableAsKey(name: string, names: ReadonlySet<string>): boolean {
	if (name.length !== 1 || !CHARACTERS.includes(name)) return false;
	const key = lower(name);
	return ![...names].some((otherName) => otherName !== key && otherName.startsWith(key));
}

/** Formats the labels for the prompt: one line each, with the key. */
export function formatLabels(labels: readonly Label[]): string {
	const keys = assignKeys(labels);
	const lines = labels.map(({ name, description = '' }, index) => {
		const line = `${keys[index]}: ${name}`;
		const descriptionLine = toSingleLine(description);
		return descriptionLine === '' ? line : `${line} - ${descriptionLine}`;
	});
	return lines.join('\n');
}

const SEPARATOR = ',';

/** Builds a GBNF grammar of llama.cpp that allows only the keys. */
export function buildLabelGrammar(keys: readonly string[], isMultiLabel: boolean): string {
	const key = keys.map((character) => JSON.stringify(character)).join(' | ');
	if (!isMultiLabel) return `root ::= ${key}`;
	return `root ::= key ("${SEPARATOR}" key){0,${keys.length - 1}}\nkey ::= ${key}`;
}

/** Builds a JSON schema that allows only the keys. */
export function buildLabelSchema(keys: readonly string[], isMultiLabel: boolean): JsonRecord {
	const key = { type: 'string', enum: [...keys] };
	return isMultiLabel ? { type: 'array', items: key, minItems: 1, maxItems: keys.length } : key;
}

export function toSingleLine(description: string): string {
	return description.trim().replace(/\s+/g, ' ');
}

export function lower(text: string): string {
	return text.trim().normalize().toLowerCase();
}
