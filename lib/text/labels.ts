import { isRecord, parseJson, recordsIn } from '../values';

export interface Label {
	name: string;
	description?: string;
}

/** One token in the vocabulary of every model. */
const SIGNS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** So many labels can be told apart by a single sign. */
export const MAX_LABELS = SIGNS.length;

/** The sign by which the model names each label, in place of its name: one token is enough. */
export function keysFor(count: number): string[] {
	return [...SIGNS.slice(0, count)];
}

/** The labels as the model reads them: a line each, with its sign. */
export function labelLines(labels: readonly Label[]): string {
	const keys = keysFor(labels.length);
	return labels
		.map(({ name, description = '' }, index) => {
			const about = description.trim().replace(/\s+/g, ' ');
			return `${keys[index]}: ${name}${about === '' ? '' : ` - ${about}`}`;
		})
		.join('\n');
}

const SEPARATOR = ',';

/** A GBNF grammar of llama.cpp that allows the signs only. */
export function labelGrammar(keys: readonly string[], several: boolean): string {
	const key = keys.map((sign) => JSON.stringify(sign)).join(' | ');
	return several ? `root ::= key ("${SEPARATOR}" key){0,${keys.length - 1}}\nkey ::= ${key}` : `root ::= ${key}`;
}

/** The same as a JSON schema. */
export function labelSchema(keys: readonly string[], several: boolean): Record<string, unknown> {
	const key = { type: 'string', enum: [...keys] };
	return several ? { type: 'array', items: key, minItems: 1, maxItems: keys.length } : key;
}

/**
 * The labels that an answer names, as their places in the list, each once: by their signs, or by their names where the
 * model was not held to the signs. Undefined where it names none.
 */
export function labelsIn(text: string, labels: readonly Label[], several: boolean): number[] | undefined {
	const keys = keysFor(labels.length);
	const said = wordsIn(text);
	const bySign = said.map((word) => keys.indexOf(word));
	const found = bySign.every((at) => at >= 0) && said.length > 0 ? bySign : byName(text, said, labels);
	const unique = [...new Set(found)];
	if (unique.length === 0 || (!several && unique.length > 1)) return undefined;
	return unique;
}

/** The texts of a JSON answer, or the parts between commas and lines; without quotes, brackets and full stops. */
function wordsIn(text: string): string[] {
	const parsed = parseJson(text.trim());
	const texts =
		parsed === undefined || typeof parsed === 'number'
			? text.split(/[,;\n]/)
			: [isRecord(parsed) ? Object.values(parsed) : parsed].flat(3).map(String);
	return texts.map((one) => one.trim().replace(/^["'`*([]+|["'`*)\].:]+$/g, '')).filter((one) => one !== '');
}

function byName(text: string, said: readonly string[], labels: readonly Label[]): number[] {
	const lower = (one: string) => one.trim().toLowerCase();
	const exact = said.flatMap((word) => {
		// `A: billing`, as some models repeat the line.
		const [, sign, name] = /^(\w)\s*[:.)-]\s*(.+)$/s.exec(word) ?? [];
		const at = labels.findIndex((label) => [word, name ?? ''].some((one) => lower(one) === lower(label.name)));
		return at >= 0 ? [at] : name === undefined ? [] : [keysFor(labels.length).indexOf(sign!)].filter((one) => one >= 0);
	});
	if (exact.length > 0) return exact;
	// A sentence that names labels. A name inside a longer one does not count ("art" in "article").
	return labels.flatMap(({ name }, index) => (occurs(lower(text), lower(name)) ? [index] : []));
}

function occurs(text: string, name: string): boolean {
	if (name === '') return false;
	const isLetter = (sign: string | undefined) => sign !== undefined && /[\p{L}\p{N}]/u.test(sign);
	// Scripts without blanks between words have no such borders.
	const hasBorders = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}]/u.test(name);
	for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1))
		if (!hasBorders || (!isLetter(text[at - 1]) && !isLetter(text[at + name.length]))) return true;
	return false;
}

/**
 * How likely each label was when the model chose, from the log probabilities of the tokens of its answer; undefined
 * where the server sends none. Servers give the likeliest tokens before the grammar is applied, so tokens that are no
 * label are left out, and the rest adds up to 1.
 *
 * @param logprobs in the form of OpenAI's `logprobs.content`, which Ollama's `logprobs` has too
 * @returns one list of scores for each label that the answer names, in its order
 */
export function scoresIn(logprobs: unknown, keys: readonly string[]): number[][] | undefined {
	const lists: number[][] = [];
	for (const { token, logprob, top_logprobs: top } of recordsIn(logprobs)) {
		if (keyIn(token, keys) < 0) continue;
		const weights = keys.map(() => 0);
		const options = recordsIn(top);
		const isListed = options.some((option) => option.token === token);
		for (const option of isListed ? options : [...options, { token, logprob }]) {
			const at = keyIn(option.token, keys);
			if (at >= 0 && typeof option.logprob === 'number') weights[at]! += Math.exp(Math.min(0, option.logprob));
		}
		const sum = weights.reduce((one, other) => one + other, 0);
		if (sum > 0) lists.push(weights.map((weight) => weight / sum));
	}
	return lists.length === 0 ? undefined : lists;
}

/** The label that a token stands for: vocabularies have it with a blank in front, and JSON with a quote. */
function keyIn(token: unknown, keys: readonly string[]): number {
	return typeof token === 'string' ? keys.indexOf(token.replace(/^[\s"[▁Ġ]+|[\s"\],]+$/g, '')) : -1;
}
