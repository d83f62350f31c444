/** Labels of a classification. Pure. */
import type { JsonRecord } from '../values/records';
import { isRecord, asRecords } from '../values/records';
import { parseJson } from '../values/json';
import { toText, withoutEnds } from '../values/text';

/** A label that a text may have. */
export interface Label {
	name: string;
	/** When a text belongs to it. */
	description?: string;
}

/** Characters that are one token in the vocabulary of every model. */
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const MAX_LABELS = CHARACTERS.length;

/** Far more than any list of labels, even if a model repeats it. */
const MAX_LABELS_LENGTH = 2_000_000;

/** Characters at the end of a text that are searched for labels. */
const LAST_CHARACTERS = 4000;

const ANSWER_PREFIX =
	/^(?:so,? |therefore,? )?(?:the |my )?(?:final |correct |best )?(?:answer|label|category|答案|标签|类别|分类)(?: is|是|为)?[\s:：=]+([^\s:：=].*)$/i;

/** `A: billing`: some models repeat the line of the prompt. */
const KEY_AND_LABEL = /^(?<key>\w)\s*[:.)-]\s*(?<rest>\S.*)$/;

/** Labels to choose from. The model writes a key of one character for each, so that one token is enough. */
export class LabelSet {
	/** In the order of the labels. */
	readonly keys: readonly string[];
	/** Index of the first label with a name, by the name in lower case. */
	private readonly indexByName = new Map<string, number>();
	/** Index of each key, and of its other case if no other key has it. */
	private readonly indexByKey: ReadonlyMap<string, number>;
	/** What a model may write after each key, in lower case. */
	private readonly lines: ReadonlyArray<ReadonlySet<string>>;

	/** @param isMultiLabel - Whether a text may have several. */
	constructor(
		private readonly labels: readonly Label[],
		private readonly isMultiLabel: boolean,
	) {
		this.keys = assignKeys(labels);
		this.indexByKey = indexKeys(this.keys);
		for (const [index, { name }] of labels.entries())
			for (const text of [name, stripPunctuation(name)].map(lower))
				if (!this.indexByName.has(text)) this.indexByName.set(text, index);
		this.lines = labels.map(({ name, description = '' }) => {
			const line = toSingleLine(description);
			return new Set([name, line, `${name} - ${line}`].map(lower));
		});
	}

	/** For the prompt: one line each. */
	format(): string {
		const lines = this.labels.map(({ name, description = '' }, index) => {
			const line = `${this.keys[index]}: ${name}`;
			return [line, toSingleLine(description)].filter(Boolean).join(' - ');
		});
		return lines.join('\n');
	}

	/** A GBNF grammar of llama.cpp that allows only the keys. */
	toGrammar(): string {
		const key = this.keys.map((character) => JSON.stringify(character)).join(' | ');
		return this.isMultiLabel
			? `root ::= key ("," key){0,${this.keys.length - 1}}\nkey ::= ${key}`
			: `root ::= ${key}`;
	}

	/** A JSON schema that allows only the keys. */
	toSchema(): JsonRecord {
		const key = { type: 'string', enum: [...this.keys] };
		return this.isMultiLabel
			? { type: 'array', items: key, minItems: 1, maxItems: this.keys.length }
			: key;
	}

	/**
	 * Indexes of the labels in a completion, without duplicates; undefined if it contains none. A label counts if it is
	 * the full text, or its first or last line, also after "Answer:". If the two lines differ, neither counts.
	 */
	parse(text: string): number[] | undefined {
		const textLabels = text.length > MAX_LABELS_LENGTH ? undefined : this.parseExact(text);
		if (textLabels) return textLabels;
		const lines = text
			.slice(-LAST_CHARACTERS)
			.split('\n')
			.map(stripPunctuation)
			.filter((line) => line !== '');
		const candidates = [lines[0] ?? '', lines.at(-1) ?? ''].flatMap((line) => {
			const lineLabels = this.parseExact(ANSWER_PREFIX.exec(line)?.[1] ?? line);
			return lineLabels ? [lineLabels] : [];
		});
		return new Set(candidates.map(String)).size === 1 ? candidates[0] : undefined;
	}

	/**
	 * Labels of a text that contains nothing else: keys, names or both, also as JSON, and as a list if several are allowed.
	 */
	private parseExact(text: string) {
		const block = text.replace(/^\s*```\w*\n([^`]*)```\s*$/, '$1');
		const indexes = new Set<number>();
		// A model may repeat a name for thousands of lines.
		for (const name of new Set(this.splitNames(block))) {
			const index = this.find(name);
			if (index === undefined) return undefined;
			indexes.add(index);
		}
		if (indexes.size === 0 || (indexes.size > 1 && !this.isMultiLabel)) return undefined;
		return [...indexes];
	}

	private splitNames(block: string) {
		const parsed = parseJson(block.trim());
		if (isRecord(parsed)) return getAnswerValues(parsed).flat(2).map(toText);
		if (parsed !== undefined && typeof parsed !== 'number') return [parsed].flat(3).map(toText);
		const content = stripPunctuation(block);
		// The name of a label may contain a comma.
		if (!this.isMultiLabel || this.find(content) !== undefined) return [content];
		return content.split(/[,;、，\n]|\band\b|\bund\b|和/).filter((name) => name.trim() !== '');
	}

	private find(text: string): number | undefined {
		const content = stripPunctuation(text);
		const exact = this.findExact(content);
		if (exact !== undefined) return exact;
		const { key = content, rest } = KEY_AND_LABEL.exec(content)?.groups ?? {};
		const at = this.indexByKey.get(key);
		if (at === undefined || rest === undefined) return at;
		return this.lines[at]!.has(lower(rest)) ? at : undefined;
	}

	/** The first label with this key or name. */
	private findExact(content: string): number | undefined {
		const byKey = this.keys.indexOf(content);
		const byName = this.indexByName.get(lower(content));
		return byKey < 0 || (byName !== undefined && byName < byKey) ? byName : byKey;
	}

	/**
	 * Probability of each label, from the alternatives to the label tokens of the completion; undefined if the server
	 * sends none, or if these tokens cannot be identified. Servers list the most likely tokens before the grammar is
	 * applied, so tokens that are not labels are omitted, and the others are scaled to add up to 1.
	 *
	 * @param logprobs - As in OpenAI's `logprobs.content` and Ollama's `logprobs`; may include the reasoning.
	 * @param completionText - Without reasoning.
	 * @param labels - Indexes of its labels.
	 * @returns for each of these labels, in their order, one list with a score from 0 to 1 per label.
	 */
	computeScores(
		logprobs: unknown,
		completionText: string,
		labels: readonly number[],
	): number[][] | undefined {
		const labelTokens = getCompletionTokens(logprobs, completionText).filter(
			({ token }) => this.findToken(token) >= 0,
		);
		const tokenLabels = labelTokens.map(({ token }) => this.findToken(token));
		if (tokenLabels.length === 0 || tokenLabels.join() !== labels.join()) return undefined;
		const scores: number[][] = [];
		for (const token of labelTokens) {
			const weights = this.computeWeights(token);
			const total = weights.reduce((sum, weight) => sum + weight, 0);
			if (total <= 0) return undefined;
			scores.push(weights.map((weight) => weight / total));
		}
		return scores;
	}

	/** Probability of each key among the alternatives to a token; all 0 if the server lists no alternatives. */
	private computeWeights({ token, top }: CompletionToken) {
		const weights = this.keys.map(() => 0);
		if (top.length < 2 || !top.some((option) => option.token === token)) return weights;
		for (const { token: option, logprob } of top) {
			const key = this.findToken(option);
			if (key >= 0 && typeof logprob === 'number') weights[key]! += Math.exp(Math.min(0, logprob));
		}
		return weights;
	}

	/** Index of the label of a token, or -1. Tokens may have a leading space, or JSON quotes. */
	private findToken(token: unknown) {
		if (typeof token !== 'string') return -1;
		return this.keys.indexOf(withoutEnds(token, /[\s"[▁Ġ]/, /[\s"\],]/));
	}
}

/**
 * Assigns a key to each label: the character that the model writes instead of the name, so that one token is enough. If
 * the name is such a character, it is also the key, so that no response is ambiguous.
 */
function assignKeys(labels: readonly Label[]) {
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

/** The indexes of keys, also in their other case if that is no other key. */
function indexKeys(keys: readonly string[]): ReadonlyMap<string, number> {
	const indexes = new Map<string, number>();
	for (const [index, key] of keys.entries())
		for (const other of [key.toLowerCase(), key.toUpperCase()])
			if (!keys.includes(other)) indexes.set(other, index);
	for (const [index, key] of keys.entries()) indexes.set(key, index);
	return indexes;
}

/** Whether a name can be its key: a model limited to keys that tries to write "10" would write "1". */
function isUsableAsKey(name: string, names: ReadonlySet<string>) {
	if (name.length !== 1 || !CHARACTERS.includes(name)) return false;
	const key = lower(name);
	return ![...names].some((otherName) => otherName !== key && otherName.startsWith(key));
}

function toSingleLine(description: string) {
	return description.trim().replace(/\s+/g, ' ');
}

/** For comparisons that ignore case, blanks at the ends, and forms of Unicode. */
export function lower(text: string): string {
	return text.trim().normalize().toLowerCase();
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
	const text = stripPunctuation(completionText);
	// Only at the end: to search a text of any length for another takes quadratic time.
	const searchStart = Math.max(0, fullText.length - 2 * LAST_CHARACTERS);
	const index = fullText.slice(searchStart).lastIndexOf(text);
	if (index < 0 || text.length > LAST_CHARACTERS) return [];
	const start = searchStart + index;
	let end = 0;
	return tokens.filter(({ token }) => {
		end += token.length;
		return end > start;
	});
}
