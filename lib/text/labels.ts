import { isRecord, parseJson, recordsIn, words } from '../values';

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
export function keysFor(labels: readonly Label[]): string[] {
	const names = new Set(labels.map(({ name }) => lower(name)));
	const own = labels.map(({ name }) =>
		name.trim().length === 1 && CHARACTERS.includes(name.trim()) ? name.trim() : undefined,
	);
	const others = [...CHARACTERS].filter((sign) => !own.includes(sign));
	const free = [
		...others.filter((sign) => !names.has(lower(sign))),
		...others.filter((sign) => names.has(lower(sign))),
	];
	return own.map((sign) => sign ?? free.shift()!);
}

/** The labels for the prompt: one line each, with the key. */
export function labelLines(labels: readonly Label[]): string {
	const keys = keysFor(labels);
	return labels
		.map(({ name, description = '' }, index) => {
			const about = description.trim().replace(/\s+/g, ' ');
			return `${keys[index]}: ${name}${about === '' ? '' : ` - ${about}`}`;
		})
		.join('\n');
}

const SEPARATOR = ',';

/** A GBNF grammar of llama.cpp that allows only the keys. */
export function labelGrammar(keys: readonly string[], several: boolean): string {
	const key = keys.map((sign) => JSON.stringify(sign)).join(' | ');
	return several
		? `root ::= key ("${SEPARATOR}" key){0,${keys.length - 1}}\nkey ::= ${key}`
		: `root ::= ${key}`;
}

/** The same as a JSON schema. */
export function labelSchema(keys: readonly string[], several: boolean): Record<string, unknown> {
	const key = { type: 'string', enum: [...keys] };
	return several ? { type: 'array', items: key, minItems: 1, maxItems: keys.length } : key;
}

/** Characters at the end of a text that are searched for an answer. */
const LAST_CHARACTERS = 4000;
const SAYS_ANSWER =
	/^(?:so,? |therefore,? )?(?:the |my )?(?:final |correct |best )?(?:answer|label|category|class|classification|result|output|答案|标签|类别|分类|结果)(?: is| would be|是|为)?[\s:：=]+(.+)$/i;

/**
 * The labels that an answer names, as indexes in the list, each once; undefined where it names none. What counts is a
 * label that is the whole text, its first or last line, or follows "Answer:" or is in `\boxed{}`, but not a name
 * inside a sentence: "This is definitely not billing." If two such places differ, none counts.
 */
export function labelsIn(
	text: string,
	labels: readonly Label[],
	several: boolean,
): number[] | undefined {
	const whole = meant(text, labels, several);
	if (whole !== undefined) return whole;
	const lines = text
		.slice(-LAST_CHARACTERS)
		.split('\n')
		.map(bare)
		.filter((line) => line !== '');
	const answers = lines.flatMap((line) => SAYS_ANSWER.exec(line)?.[1] ?? []);
	const boxed = [...text.slice(-LAST_CHARACTERS).matchAll(/\\boxed\{(?:\\text\{)?([^{}]*)\}/g)].map(
		([, inside]) => inside!,
	);
	const places = [boxed, answers].find(({ length }) => length > 0) ?? [
		lines[0] ?? '',
		lines.at(-1) ?? '',
	];
	const found = places.map((place) => meant(place, labels, several));
	const [first = undefined] = found.filter((one) => one !== undefined);
	// Of the first and the last line, one may be an explanation; marked answers must all be labels.
	const isOneOfLines = boxed.length === 0 && answers.length === 0;
	return found.every((one) => (one === undefined ? isOneOfLines : String(one) === String(first)))
		? first
		: undefined;
}

/**
 * The labels of a text that contains nothing else: keys, names or both, also as JSON, and, where several are allowed,
 * as a list.
 */
function meant(text: string, labels: readonly Label[], several: boolean): number[] | undefined {
	const block = text.replace(/^\s*```\w*\n([^`]*)```\s*$/, '$1');
	const inside = bare(block);
	const parsed = parseJson(block.trim());
	const isText = parsed === undefined || typeof parsed === 'number';
	const texts = isText ? [inside] : [isRecord(parsed) ? named(parsed) : parsed].flat(3).map(words);
	const single = texts.map((one) => labelOf(one, labels));
	const found =
		several && isText && single[0] === undefined
			? inside
					.split(/[,;、，\n]|\band\b|\bund\b|和/)
					.filter((one) => one.trim() !== '')
					.map((one) => labelOf(one, labels))
			: single;
	const unique = [...new Set(found)];
	const isRight = unique.length > 0 && (several || unique.length === 1);
	return isRight && unique.every((one) => one !== undefined) ? unique : undefined;
}

/** The values of an object, or those whose names say that they are the answer. */
function named(record: Record<string, unknown>): unknown[] {
	const told = Object.entries(record).filter(([name]) =>
		/^(?:answer|categor|class|label|result)/i.test(name),
	);
	return (told.length > 0 ? told : Object.entries(record)).map(([, value]) => value);
}

/** A text without the quotes, brackets and punctuation around it. */
function bare(text: string): string {
	return text
		.replace(/^[\s"'`*_([{“「【<#>-]+/, '')
		.replace(/(?<=[^\s"'`*_)\]}”」】>.。:!])[\s"'`*_)\]}”」】>.。:!]{1,20}$/, '');
}

function labelOf(text: string, labels: readonly Label[]): number | undefined {
	const keys = keysFor(labels);
	const said = bare(text);
	// `A: billing`, as some models repeat the line.
	const [, sign, rest] = /^(\w)\s*[:.)-]\s*(\S.*)$/.exec(said) ?? [];
	const at = labels.findIndex(({ name, description = '' }, index) => {
		const about = description.trim().replace(/\s+/g, ' ');
		const isLine =
			sign === keys[index] &&
			[name, about, `${name} - ${about}`].some((one) => lower(one) === lower(rest!));
		return (
			isLine || said === keys[index] || [name, bare(name)].some((one) => lower(one) === lower(said))
		);
	});
	return at < 0 ? undefined : at;
}

function lower(text: string): string {
	return text.trim().normalize().toLowerCase();
}

/**
 * The probability of each label, from the alternatives to the tokens that are the labels of the answer; undefined where
 * the server sends none, or where these tokens cannot be identified. Servers list the likeliest tokens before the
 * grammar is applied, so tokens that are no label are left out, and the rest is scaled to add up to 1.
 *
 * @param logprobs in the form of OpenAI's `logprobs.content`, which Ollama's `logprobs` has too; may include the
 *   thinking
 * @param answer the text without thinking, and the indexes of the labels that it names
 * @returns for each of these labels, in their order, one list with a score from 0 to 1 per label
 */
export function scoresIn(
	logprobs: unknown,
	keys: readonly string[],
	answer: { text: string; found: readonly number[] },
): number[][] | undefined {
	const tokens = recordsIn(logprobs).map((one) => ({
		...one,
		token: String(one.token),
		top: recordsIn(one.top_logprobs),
	}));
	const written = tokens.map(({ token }) => token).join('');
	const from = written.lastIndexOf(bare(answer.text));
	let at = 0;
	const carriers = tokens.filter(({ token }) => {
		at += token.length;
		return from >= 0 && at > from && keyIn(token, keys) >= 0;
	});
	if (carriers.map(({ token }) => keyIn(token, keys)).join() !== answer.found.join())
		return undefined;
	const lists = carriers.map(({ token, top }) => {
		const weights = keys.map(() => 0);
		if (top.length < 2 || !top.some((option) => option.token === token)) return weights;
		for (const { token: option, logprob } of top) {
			const key = keyIn(option, keys);
			if (key >= 0 && typeof logprob === 'number') weights[key]! += Math.exp(Math.min(0, logprob));
		}
		return weights;
	});
	const sums = lists.map((weights) => weights.reduce((one, other) => one + other, 0));
	if (lists.length === 0 || sums.some((sum) => sum <= 0)) return undefined;
	return lists.map((weights, index) => weights.map((weight) => weight / sums[index]!));
}

/** The index of the label that a token stands for, or -1. Tokens may have a space in front, or the quotes of JSON. */
function keyIn(token: unknown, keys: readonly string[]): number {
	return typeof token === 'string' ? keys.indexOf(token.replace(/^[\s"[▁Ġ]+|[\s"\],]+$/g, '')) : -1;
}
