/** The labels of a classification as a model is asked for them: each by a key of one character. */
import type { JsonRecord } from '../values';

export interface Label {
	name: string;
	description?: string;
}

/** Characters that are one token in every model's vocabulary. */
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** As many labels as there are characters for them. */
export const MAX_LABELS = CHARACTERS.length;

/**
 * The key of each label: the character that the model writes in place of its name, so that one token is enough. A label
 * whose name is such a character has that as its key, so that no answer is ambiguous.
 */
export function assignKeys(labels: readonly Label[]): string[] {
	const names = new Set(labels.map(({ name }) => lower(name)));
	const own = labels.map(({ name }) => (isOwnKey(name.trim(), names) ? name.trim() : undefined));
	const others = [...CHARACTERS].filter((sign) => !own.includes(sign));
	const free = [
		...others.filter((sign) => !names.has(lower(sign))),
		...others.filter((sign) => names.has(lower(sign))),
	];
	return own.map((sign) => sign ?? free.shift()!);
}

/** Whether a name can be its own key: a model that is held to keys and wants to write "10" would begin with "1". */
function isOwnKey(name: string, names: ReadonlySet<string>): boolean {
	if (name.length !== 1 || !CHARACTERS.includes(name)) return false;
	const key = lower(name);
	return ![...names].some((other) => other !== key && other.startsWith(key));
}

/** The labels for the prompt: one line each, with the key. */
export function formatLabels(labels: readonly Label[]): string {
	const keys = assignKeys(labels);
	const lines = labels.map(({ name, description = '' }, index) => {
		const line = `${keys[index]}: ${name}`;
		const about = toSingleLine(description);
		return about === '' ? line : `${line} - ${about}`;
	});
	return lines.join('\n');
}

const SEPARATOR = ',';

/** A GBNF grammar of llama.cpp that allows only the keys. */
export function buildLabelGrammar(keys: readonly string[], several: boolean): string {
	const key = keys.map((sign) => JSON.stringify(sign)).join(' | ');
	if (!several) return `root ::= ${key}`;
	return `root ::= key ("${SEPARATOR}" key){0,${keys.length - 1}}\nkey ::= ${key}`;
}

/** The same as a JSON schema. */
export function buildLabelSchema(keys: readonly string[], several: boolean): JsonRecord {
	const key = { type: 'string', enum: [...keys] };
	return several ? { type: 'array', items: key, minItems: 1, maxItems: keys.length } : key;
}

export function toSingleLine(description: string): string {
	return description.trim().replace(/\s+/g, ' ');
}

export function lower(text: string): string {
	return text.trim().normalize().toLowerCase();
}
