/** Parses the labels of a completion. */
import { parseJson } from '../json';
import { isRecord, type JsonRecord, toText } from '../values';
import { assignKeys, type Label, lower, toSingleLine } from './labels';

/** Far more than any list of labels, even if a model repeats it. */
const MAX_LABELS_LENGTH = 2_000_000;
/** Characters at the end of a text that are searched for labels. */
const LAST_CHARACTERS = 4000;
const ANSWER_PREFIX =
	/^(?:so,? |therefore,? )?(?:the |my )?(?:final |correct |best )?(?:answer|label|category|答案|标签|类别|分类)(?: is|是|为)?[\s:：=]+(.+)$/i;

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
	if (textLabels !== undefined) return textLabels;
	const lines = splitLines(text.slice(-LAST_CHARACTERS));
	const candidates = [lines[0] ?? '', lines.at(-1) ?? ''].flatMap((line) => {
		const lineLabels = parseExactLabels(
			ANSWER_PREFIX.exec(line)?.[1] ?? line,
			labels,
			isMultiLabel,
		);
		return lineLabels === undefined ? [] : [lineLabels];
	});
	return new Set(candidates.map(String)).size === 1 ? candidates[0] : undefined;
}

function splitLines(text: string): string[] {
	return text
		.split('\n')
		.map(stripPunctuation)
		.filter((line) => line !== '');
}

/**
 * Labels of a text that contains nothing else: keys, names or both, also as JSON, and as a list if several are allowed.
 */
function parseExactLabels(
	text: string,
	labels: readonly Label[],
	isMultiLabel: boolean,
): number[] | undefined {
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

function splitNames(block: string, labels: readonly Label[], isMultiLabel: boolean): string[] {
	const parsed = parseJson(block.trim());
	if (isRecord(parsed)) return getAnswerValues(parsed).flat(2).map(toText);
	if (parsed !== undefined && typeof parsed !== 'number') return [parsed].flat(3).map(toText);
	const content = stripPunctuation(block);
	// The name of a label may contain a comma.
	if (!isMultiLabel || findLabel(content, labels) !== undefined) return [content];
	return content.split(/[,;、，\n]|\band\b|\bund\b|和/).filter((name) => name.trim() !== '');
}

/** Values of the fields that look like labels, otherwise of all fields. */
function getAnswerValues(record: JsonRecord): unknown[] {
	const answers = Object.entries(record).filter(([name]) =>
		/^(?:answer|categor|class|label|result)/i.test(name),
	);
	return answers.length > 0 ? answers.map(([, value]) => value) : Object.values(record);
}

/** Removes quotes (of any language), brackets and punctuation around a text. */
export function stripPunctuation(text: string): string {
	return text
		.replace(/^[\s"'`*_<#>\p{Pi}\p{Pf}\p{Ps}-]+/u, '')
		.replace(
			/(?<=[^\s"'`*_>.。:!\p{Pi}\p{Pf}\p{Pe}])[\s"'`*_>.。:!\p{Pi}\p{Pf}\p{Pe}]{1,20}$/u,
			'',
		);
}

/** `A: billing`: some models repeat the line of the prompt. */
const KEY_AND_LABEL = /^(?<key>\w)\s*[:.)-]\s*(?<rest>\S.*)$/;

function findLabel(text: string, labels: readonly Label[]): number | undefined {
	const content = stripPunctuation(text);
	const keys = assignKeys(labels);
	const lowerCased = lower(content);
	const exact = labels.findIndex(
		({ name }, index) =>
			content === keys[index] || isOneOf([name, stripPunctuation(name)], lowerCased),
	);
	if (exact >= 0) return exact;
	const line = KEY_AND_LABEL.exec(content)?.groups;
	if (line === undefined) return findKey(content, keys);
	const { key: keyText = '', rest = '' } = line;
	const at = findKey(keyText, keys);
	return at !== undefined && isOneOf(getLabelForms(labels[at]!), lower(rest)) ? at : undefined;
}

/** Index of a key. Case is ignored if the letter is unique. */
function findKey(keyText: string, keys: readonly string[]): number | undefined {
	const exact = keys.indexOf(keyText);
	if (exact >= 0) return exact;
	const lowerCased = lower(keyText);
	const matches = keys.flatMap((key, index) => (lower(key) === lowerCased ? [index] : []));
	return matches.length === 1 ? matches[0] : undefined;
}

/** Texts that may follow the key of a label. */
function getLabelForms({ name, description = '' }: Label): string[] {
	const descriptionLine = toSingleLine(description);
	return [name, descriptionLine, `${name} - ${descriptionLine}`];
}

/** @param text in lower case */
function isOneOf(names: readonly string[], text: string): boolean {
	return names.some((name) => lower(name) === text);
}
