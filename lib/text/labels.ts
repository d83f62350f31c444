import { affirmedIn } from './affirmed-label';
import { isRecord, type JsonRecord, parseJson, recordsIn, words } from '../values';

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
export function labelLines(labels: readonly Label[]): string {
	const keys = keysFor(labels);
	const lines = labels.map(({ name, description = '' }, index) => {
		const line = `${keys[index]}: ${name}`;
		const about = onOneLine(description);
		return about === '' ? line : `${line} - ${about}`;
	});
	return lines.join('\n');
}

const SEPARATOR = ',';

/** A GBNF grammar of llama.cpp that allows only the keys. */
export function labelGrammar(keys: readonly string[], several: boolean): string {
	const key = keys.map((sign) => JSON.stringify(sign)).join(' | ');
	if (!several) return `root ::= ${key}`;
	return `root ::= key ("${SEPARATOR}" key){0,${keys.length - 1}}\nkey ::= ${key}`;
}

/** The same as a JSON schema. */
export function labelSchema(keys: readonly string[], several: boolean): JsonRecord {
	const key = { type: 'string', enum: [...keys] };
	return several ? { type: 'array', items: key, minItems: 1, maxItems: keys.length } : key;
}

/** Characters at the end of a text that are searched for an answer. */
const LAST_CHARACTERS = 4000;
const SAYS_ANSWER =
	/^(?:so,? |therefore,? )?(?:the |my )?(?:final |correct |best )?(?:answer|label|category|class|classification|result|output|答案|标签|类别|分类|结果)(?: is| would be|是|为)?[\s:：=]+(.+)$/i;

/**
 * The labels that an answer names, as indexes in the list, each once; undefined where it names none. What counts is a
 * label that is the whole text, its first or last line, or follows "Answer:" or is in `\boxed{}`, also in a plain
 * sentence there ("It is about billing."), but not in others ("This is definitely not billing."). If two such places
 * differ, none counts.
 */
export function labelsIn(
	text: string,
	labels: readonly Label[],
	several: boolean,
): number[] | undefined {
	const whole = labelsOf(text, labels, several);
	if (whole !== undefined) return whole;
	const end = text.slice(-LAST_CHARACTERS);
	const marked = markedAnswers(end);
	const lines = linesOf(end);
	const places = marked.length > 0 ? marked : [lines[0] ?? '', lines.at(-1) ?? ''];
	const candidates = places.map((place) => labelsOf(place, labels, several));
	const readable = candidates.filter((one) => one !== undefined);
	// Of the first and the last line, one may be an explanation; marked answers must all be labels.
	if (marked.length > 0 && readable.length < candidates.length) return undefined;
	const isOneAnswer = new Set(readable.map(String)).size === 1;
	return isOneAnswer ? readable[0] : undefined;
}

/** What is in `\boxed{}`, or else what follows "Answer:". */
function markedAnswers(text: string): string[] {
	const boxed = [...text.matchAll(/\\boxed\{(?:\\text\{)?([^{}]*)\}/g)].map(
		([, inside]) => inside!,
	);
	if (boxed.length > 0) return boxed;
	return linesOf(text).flatMap((line) => SAYS_ANSWER.exec(line)?.[1] ?? []);
}

function linesOf(text: string): string[] {
	return text
		.split('\n')
		.map(bare)
		.filter((line) => line !== '');
}

/**
 * The labels of a text that contains nothing else: keys, names or both, also as JSON, and, where several are allowed,
 * as a list.
 */
function labelsOf(text: string, labels: readonly Label[], several: boolean): number[] | undefined {
	const block = text.replace(/^\s*```\w*\n([^`]*)```\s*$/, '$1');
	const indexes = new Set<number>();
	// Each name once: a model may repeat itself for thousands of lines.
	for (const name of new Set(namesIn(block, labels, several))) {
		const index = labelOf(name, labels);
		if (index === undefined) return undefined;
		indexes.add(index);
	}
	if (indexes.size === 0 || (indexes.size > 1 && !several)) return undefined;
	return [...indexes];
}

function namesIn(block: string, labels: readonly Label[], several: boolean): string[] {
	const parsed = parseJson(block.trim());
	if (isRecord(parsed)) return answerValues(parsed).flat(2).map(words);
	if (parsed !== undefined && typeof parsed !== 'number') return [parsed].flat(3).map(words);
	const inside = bare(block);
	// A label's own name may hold a comma.
	if (!several || labelOf(inside, labels) !== undefined) return [inside];
	return inside.split(/[,;、，\n]|\band\b|\bund\b|和/).filter((name) => name.trim() !== '');
}

/** The values of an object, or those whose names say that they are the answer. */
function answerValues(record: JsonRecord): unknown[] {
	const answers = Object.entries(record).filter(([name]) =>
		/^(?:answer|categor|class|label|result)/i.test(name),
	);
	return answers.length > 0 ? answers.map(([, value]) => value) : Object.values(record);
}

/** A text without the quotes (of any language), brackets and punctuation around it. */
function bare(text: string): string {
	return text
		.replace(/^[\s"'`*_<#>\p{Pi}\p{Pf}\p{Ps}-]+/u, '')
		.replace(
			/(?<=[^\s"'`*_>.。:!\p{Pi}\p{Pf}\p{Pe}])[\s"'`*_>.。:!\p{Pi}\p{Pf}\p{Pe}]{1,20}$/u,
			'',
		);
}

/** `A: billing`, as some models repeat the line. */
const KEY_AND_LABEL = /^(?<key>\w)\s*[:.)-]\s*(?<rest>\S.*)$/;

function labelOf(text: string, labels: readonly Label[]): number | undefined {
	const content = bare(text);
	const keys = keysFor(labels);
	const small = lower(content);
	const exact = labels.findIndex(
		({ name }, index) => content === keys[index] || isOneOf([name, bare(name)], small),
	);
	if (exact >= 0) return exact;
	const line = KEY_AND_LABEL.exec(content)?.groups;
	if (line === undefined) {
		const names = labels.map(({ name }) => name);
		return keyOf(content, keys) ?? affirmedIn(content, names);
	}
	const { key: sign = '', rest = '' } = line;
	const at = keyOf(sign, keys);
	return at !== undefined && isOneOf(formsOf(labels[at]!), lower(rest)) ? at : undefined;
}

/** The index of a key, also in the other case where no other key is that letter. */
function keyOf(sign: string, keys: readonly string[]): number | undefined {
	const exact = keys.indexOf(sign);
	if (exact >= 0) return exact;
	const small = lower(sign);
	const same = keys.flatMap((key, index) => (lower(key) === small ? [index] : []));
	return same.length === 1 ? same[0] : undefined;
}

/** What may follow the key of a label. */
function formsOf({ name, description = '' }: Label): string[] {
	const about = onOneLine(description);
	return [name, about, `${name} - ${about}`];
}

/** @param text in lower case */
function isOneOf(names: readonly string[], text: string): boolean {
	return names.some((name) => lower(name) === text);
}

function onOneLine(description: string): string {
	return description.trim().replace(/\s+/g, ' ');
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
	answer: { text: string; labels: readonly number[] },
): number[][] | undefined {
	const labelTokens = answerTokens(logprobs, answer.text).filter(
		({ token }) => keyIn(token, keys) >= 0,
	);
	const labels = labelTokens.map(({ token }) => keyIn(token, keys));
	if (labels.length === 0 || labels.join() !== answer.labels.join()) return undefined;
	const scores: number[][] = [];
	for (const token of labelTokens) {
		const weights = weightsOf(token, keys);
		const total = weights.reduce((sum, weight) => sum + weight, 0);
		if (total <= 0) return undefined;
		scores.push(weights.map((weight) => weight / total));
	}
	return scores;
}

interface AnswerToken {
	token: string;
	logprob: unknown;
	/** The alternatives to it. */
	top: JsonRecord[];
}

/** The tokens of the answer, without those of thinking before it. */
function answerTokens(logprobs: unknown, answer: string): AnswerToken[] {
	const tokens = recordsIn(logprobs).map((one) => ({
		token: String(one.token),
		logprob: one.logprob,
		top: recordsIn(one.top_logprobs).map(withTextAsToken),
	}));
	const wholeText = tokens.map(({ token }) => token).join('');
	const from = wholeText.lastIndexOf(bare(answer));
	if (from < 0) return [];
	let end = 0;
	return tokens.filter(({ token }) => {
		end += token.length;
		return end > from;
	});
}

/** An alternative of mistral.rs has the number of its token, and the text as `bytes`. */
function withTextAsToken(option: JsonRecord): JsonRecord {
	return typeof option.bytes === 'string' ? { ...option, token: option.bytes } : option;
}

/** The probability of each key among the alternatives to a token; all 0 where the server lists no alternatives. */
function weightsOf(answer: AnswerToken, keys: readonly string[]): number[] {
	const weights = keys.map(() => 0);
	const options = optionsOf(answer, keys);
	if (options.length < 2) return weights;
	for (const option of options) {
		const key = keyIn(option.token, keys);
		if (key >= 0) weights[key]! += probabilityOf(option);
	}
	return weights;
}

/** What sums of probabilities may be above 1, as servers round them. */
const ROUNDING = 0.01;

/**
 * The alternatives with the token itself; none where it is missing. LMDeploy (seen: 0.18.0) lists the others only. Then
 * its own value stands in, where it is likely enough for the list, and one of the same distribution.
 */
function optionsOf({ token, logprob, top }: AnswerToken, keys: readonly string[]): JsonRecord[] {
	if (top.some((option) => option.token === token)) return top;
	const [own, ...others] = [{ token, logprob }, ...top].map(probabilityOf);
	const total = others.reduce((sum, probability) => sum + probability, own!);
	const isOfList = others.some((other) => own! >= other) && total <= 1 + ROUNDING;
	// The same token in another spelling.
	const isTwin = (option: JsonRecord) =>
		option.logprob === logprob && keyIn(option.token, keys) === keyIn(token, keys);
	return isOfList && !top.some(isTwin) ? [{ token, logprob }, ...top] : [];
}

function probabilityOf({ logprob }: JsonRecord): number {
	return typeof logprob === 'number' ? Math.exp(Math.min(0, logprob)) : 0;
}

/** The index of the label that a token stands for, or -1. Tokens may have a space in front, or the quotes of JSON. */
function keyIn(token: unknown, keys: readonly string[]): number {
	if (typeof token !== 'string') return -1;
	const key = token.replace(/^[\s"[▁Ġ]+|[\s"\],]+$/g, '');
	return keys.indexOf(key);
}
