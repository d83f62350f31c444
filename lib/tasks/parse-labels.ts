/** Which labels an answer names. */
import { parseJson } from '../json';
import { isRecord, type JsonRecord, toText } from '../values';
import { assignKeys, type Label, lower, toSingleLine } from './labels';

/** Far more than any list of labels, even one that a model repeats. */
const MAX_LABELS_LENGTH = 2_000_000;
/** Characters at the end of a text that are searched for an answer. */
const LAST_CHARACTERS = 4000;
const SAYS_ANSWER =
	/^(?:so,? |therefore,? )?(?:the |my )?(?:final |correct |best )?(?:answer|label|category|答案|标签|类别|分类)(?: is|是|为)?[\s:：=]+(.+)$/i;

/**
 * The labels that an answer names, as indexes in the list, each once; undefined where it names none. What counts is a
 * label that is the whole text, its first or its last line, also behind "Answer:". If the two lines differ, none counts. Of other answers, the
 * model is asked once more for the letter alone.
 */
export function parseLabels(
	text: string,
	labels: readonly Label[],
	several: boolean,
): number[] | undefined {
	const whole = text.length > MAX_LABELS_LENGTH ? undefined : labelsOf(text, labels, several);
	if (whole !== undefined) return whole;
	const lines = linesOf(text.slice(-LAST_CHARACTERS));
	const candidates = [lines[0] ?? '', lines.at(-1) ?? ''].flatMap((line) => {
		const found = labelsOf(SAYS_ANSWER.exec(line)?.[1] ?? line, labels, several);
		return found === undefined ? [] : [found];
	});
	return new Set(candidates.map(String)).size === 1 ? candidates[0] : undefined;
}

function linesOf(text: string): string[] {
	return text
		.split('\n')
		.map(stripPunctuation)
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
	if (isRecord(parsed)) return answerValues(parsed).flat(2).map(toText);
	if (parsed !== undefined && typeof parsed !== 'number') return [parsed].flat(3).map(toText);
	const inside = stripPunctuation(block);
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
export function stripPunctuation(text: string): string {
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
	const content = stripPunctuation(text);
	const keys = assignKeys(labels);
	const small = lower(content);
	const exact = labels.findIndex(
		({ name }, index) => content === keys[index] || isOneOf([name, stripPunctuation(name)], small),
	);
	if (exact >= 0) return exact;
	const line = KEY_AND_LABEL.exec(content)?.groups;
	if (line === undefined) return keyOf(content, keys);
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
	const about = toSingleLine(description);
	return [name, about, `${name} - ${about}`];
}

/** @param text in lower case */
function isOneOf(names: readonly string[], text: string): boolean {
	return names.some((name) => lower(name) === text);
}
