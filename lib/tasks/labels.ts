/** Labels of a classification: the model writes a key of one character for each. */
import { type JsonRecord, isRecord, toText, asRecords, withoutEnds, parseJson } from '../values';

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
	const isName = (character: string) => names.has(lower(character));
	const freeKeys = [
		...unusedKeys.filter((character) => !isName(character)),
		...unusedKeys.filter(isName),
	];
	return nameKeys.map((character) => character ?? freeKeys.shift()!);
}

/** Whether a name can be its key: a model limited to keys that tries to write "10" would write "1". */
function isUsableAsKey(name: string, names: ReadonlySet<string>) {
	if (name.length !== 1 || !CHARACTERS.includes(name)) return false;
	const key = lower(name);
	return ![...names].some((otherName) => otherName !== key && otherName.startsWith(key));
}

/** Formats the labels for the prompt: one line each, with the key. */
export function formatLabels(labels: readonly Label[]) {
	const keys = assignKeys(labels);
	const lines = labels.map(({ name, description = '' }, index) => {
		const line = `${keys[index]}: ${name}`;
		const descriptionLine = toSingleLine(description);
		return descriptionLine ? `${line} - ${descriptionLine}` : line;
	});
	return lines.join('\n');
}

const SEPARATOR = ',';

/** Builds a GBNF grammar of llama.cpp that allows only the keys. */
export function buildLabelGrammar(keys: readonly string[], isMultiLabel: boolean) {
	const key = keys.map((character) => JSON.stringify(character)).join(' | ');
	if (!isMultiLabel) return `root ::= ${key}`;
	return `root ::= key ("${SEPARATOR}" key){0,${keys.length - 1}}\nkey ::= ${key}`;
}

/** Builds a JSON schema that allows only the keys. */
export function buildLabelSchema(keys: readonly string[], isMultiLabel: boolean): JsonRecord {
	const key = { type: 'string', enum: [...keys] };
	return isMultiLabel ? { type: 'array', items: key, minItems: 1, maxItems: keys.length } : key;
}

function toSingleLine(description: string) {
	return description.trim().replace(/\s+/g, ' ');
}

export function lower(text: string) {
	return text.trim().normalize().toLowerCase();
}

/** Far more than any list of labels, even if a model repeats it. */
const MAX_LABELS_LENGTH = 2_000_000;

/** Characters at the end of a text that are searched for labels. */
const LAST_CHARACTERS = 4000;

const ANSWER_PREFIX =
	/^(?:so,? |therefore,? )?(?:the |my )?(?:final |correct |best )?(?:answer|label|category|答案|标签|类别|分类)(?: is|是|为)?[\s:：=]+([^\s:：=].*)$/i;

/**
 * Indexes of the labels in a completion, without duplicates; undefined if it contains none. A label counts if it is the
 * full text, or its first or last line, also after "Answer:". If the two lines differ, neither counts.
 */
export function parseLabels(
	text: string,
	labels: readonly Label[],
	isMultiLabel: boolean,
): number[] | undefined {
	const textLabels =
		text.length > MAX_LABELS_LENGTH ? undefined : parseExactLabels(text, labels, isMultiLabel);
	if (textLabels) return textLabels;
	const lines = text
		.slice(-LAST_CHARACTERS)
		.split('\n')
		.map(stripPunctuation)
		.filter((line) => line !== '');
	const candidates = [lines[0] ?? '', lines.at(-1) ?? ''].flatMap((line) => {
		const lineLabels = parseExactLabels(
			ANSWER_PREFIX.exec(line)?.[1] ?? line,
			labels,
			isMultiLabel,
		);
		return lineLabels ? [lineLabels] : [];
	});
	return new Set(candidates.map(String)).size === 1 ? candidates[0] : undefined;
}

/**
 * Labels of a text that contains nothing else: keys, names or both, also as JSON, and as a list if several are allowed.
 */
function parseExactLabels(text: string, labels: readonly Label[], isMultiLabel: boolean) {
	const block = text.replace(/^\s*```\w*\n([^`]*)```\s*$/, '$1');
	const indexes = new Set<number>();
	// A model may repeat a name for thousands of lines.
	for (const name of new Set(splitNames(block, labels, isMultiLabel))) {
		const index = findLabel(name, labels);
		if (index === undefined) return undefined;
		indexes.add(index);
	}
	if (indexes.size === 0 || (indexes.size > 1 && !isMultiLabel)) return undefined;
	return [...indexes];
}

function splitNames(block: string, labels: readonly Label[], isMultiLabel: boolean) {
	const parsed = parseJson(block.trim());
	if (isRecord(parsed)) return getAnswerValues(parsed).flat(2).map(toText);
	if (parsed !== undefined && typeof parsed !== 'number') return [parsed].flat(3).map(toText);
	const content = stripPunctuation(block);
	// The name of a label may contain a comma.
	if (!isMultiLabel || findLabel(content, labels) !== undefined) return [content];
	return content.split(/[,;、，\n]|\band\b|\bund\b|和/).filter((name) => name.trim() !== '');
}

/** Values of the fields that look like labels, otherwise of all fields. */
function getAnswerValues(record: JsonRecord) {
	const answers = Object.entries(record).filter(([name]) =>
		/^(?:answer|categor|class|label|result)/i.test(name),
	);
	return answers.length > 0 ? answers.map(([, value]) => value) : Object.values(record);
}

/** Removes quotes (of any language), brackets and punctuation around a text. */
function stripPunctuation(text: string) {
	return text
		.replace(/^[\s"'`*_<#>\p{Pi}\p{Pf}\p{Ps}-]+/u, '')
		.replace(
			/(?<=[^\s"'`*_>.。:!\p{Pi}\p{Pf}\p{Pe}])[\s"'`*_>.。:!\p{Pi}\p{Pf}\p{Pe}]{1,20}$/u,
			'',
		);
}

/** `A: billing`: some models repeat the line of the prompt. */
const KEY_AND_LABEL = /^(?<key>\w)\s*[:.)-]\s*(?<rest>\S.*)$/;

function findLabel(text: string, labels: readonly Label[]) {
	const content = stripPunctuation(text);
	const keys = assignKeys(labels);
	const lowerCased = lower(content);
	const exact = labels.findIndex(
		({ name }, index) =>
			content === keys[index] || isOneOf([name, stripPunctuation(name)], lowerCased),
	);
	if (exact >= 0) return exact;
	const line = KEY_AND_LABEL.exec(content)?.groups;
	if (!line) return findKey(content, keys);
	const { key: keyText = '', rest = '' } = line;
	const at = findKey(keyText, keys);
	return at !== undefined && isOneOf(getLabelForms(labels[at]!), lower(rest)) ? at : undefined;
}

/** Index of a key. Case is ignored if the letter is unique. */
function findKey(keyText: string, keys: readonly string[]) {
	const exact = keys.indexOf(keyText);
	if (exact >= 0) return exact;
	const lowerCased = lower(keyText);
	const matches = keys.flatMap((key, index) => (lower(key) === lowerCased ? [index] : []));
	return matches.length === 1 ? matches[0] : undefined;
}

/** Texts that may follow the key of a label. */
function getLabelForms({ name, description = '' }: Label) {
	const descriptionLine = toSingleLine(description);
	return [name, descriptionLine, `${name} - ${descriptionLine}`];
}

/** @param text in lower case */
function isOneOf(names: readonly string[], text: string) {
	return names.some((name) => lower(name) === text);
}

/**
 * Probability of each label, from the alternatives to the label tokens of the completion; undefined if the server sends
 * none, or if these tokens cannot be identified. Servers list the most likely tokens before the grammar is applied, so
 * tokens that are not labels are omitted, and the others are scaled to add up to 1.
 *
 * @param logprobs as in OpenAI's `logprobs.content` and Ollama's `logprobs`; may include the reasoning
 * @param completion text without reasoning, and the indexes of its labels
 * @returns for each of these labels, in their order, one list with a score from 0 to 1 per label
 */
export function computeLabelScores(
	logprobs: unknown,
	keys: readonly string[],
	completion: { text: string; labels: readonly number[] },
): number[][] | undefined {
	const labelTokens = getCompletionTokens(logprobs, completion.text).filter(
		({ token }) => findTokenKey(token, keys) >= 0,
	);
	const labels = labelTokens.map(({ token }) => findTokenKey(token, keys));
	if (labels.length === 0 || labels.join() !== completion.labels.join()) return undefined;
	const scores: number[][] = [];
	for (const token of labelTokens) {
		const weights = computeWeights(token, keys);
		const total = weights.reduce((sum, weight) => sum + weight, 0);
		if (total <= 0) return undefined;
		scores.push(weights.map((weight) => weight / total));
	}
	return scores;
}

interface CompletionToken {
	token: string;
	/** Alternatives to the token. */
	top: JsonRecord[];
}

/** Tokens of the text, without the reasoning before it. */
function getCompletionTokens(logprobs: unknown, completionText: string): CompletionToken[] {
	const tokens = asRecords(logprobs).map((entry) => ({
		token: String(entry.token),
		top: asRecords(entry.top_logprobs),
	}));
	const fullText = tokens.map(({ token }) => token).join('');
	const start = fullText.lastIndexOf(stripPunctuation(completionText));
	if (start < 0) return [];
	let end = 0;
	return tokens.filter(({ token }) => {
		end += token.length;
		return end > start;
	});
}

/** Probability of each key among the alternatives to a token; all 0 if the server lists no alternatives. */
function computeWeights({ token, top }: CompletionToken, keys: readonly string[]) {
	const weights = keys.map(() => 0);
	if (top.length < 2 || !top.some((option) => option.token === token)) return weights;
	for (const option of top) {
		const key = findTokenKey(option.token, keys);
		const { logprob } = option;
		if (key >= 0 && typeof logprob === 'number') weights[key]! += Math.exp(Math.min(0, logprob));
	}
	return weights;
}

/** Index of the label of a token, or -1. Tokens may have a leading space, or JSON quotes. */
function findTokenKey(token: unknown, keys: readonly string[]) {
	if (typeof token !== 'string') return -1;
	return keys.indexOf(withoutEnds(token, /[\s"[▁Ġ]/, /[\s"\],]/));
}
