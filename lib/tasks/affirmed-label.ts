import { literalPattern } from '../values';

/**
 * Reads sentences such as "It is about order status." Only words of a closed list may stand beside the label: what
 * denies, doubts or asks ("not", "or", "could", "?") is none of them, so such a sentence names nothing.
 */

const MAX_CHARACTERS = 200;

const WORDS = [
	'so|therefore|i|think|it|its|this|that|these|the|a|an|my',
	'text|texts|message|mail|email|ticket|request|question|inquiry|customer|user|sender|author|person|somebody',
	'is|was|are|be|seems|appears|belongs|falls|fits|matches|concerns|asks|talks|deals|relates|related|s',
	'to|about|of|on|in|into|under|for|with|regarding|as',
	'category|label|class|topic|subject|answer|best|most|clearly|definitely|certainly|mainly|mostly|here',
].join('|');
const CHINESE_WORDS =
	'文本|消息|邮件|信息|客户|用户|关于|属于|有关|类别|分类|标签|问题|答案|这|那|此|该|是|为|在|的|了|个|条|封|类';
const AFFIRMS = new RegExp(
	`^(?:(?<!\\p{L})(?:${WORDS})(?!\\p{L})|${CHINESE_WORDS}|[\\s.,:;!"'*_\`。，：！\\p{Pi}\\p{Pf}\\p{Ps}\\p{Pe}-])*$`,
	'iu',
);

/** A letter or digit that would make a name part of a longer word. Chinese has no spaces between words. */
const LETTER = String.raw`(?!\p{Script=Han})[\p{L}\p{N}]`;

/**
 * The index of the one name that a sentence affirms: the longest that it holds, if no other stands outside that one.
 *
 * @param names of more than one character; shorter ones are left out, since "A" and "I" are words too
 */
export function affirmedIn(sentence: string, names: readonly string[]): number | undefined {
	if (sentence.length > MAX_CHARACTERS) return undefined;
	const text = sentence.normalize();
	const patterns = names.map(patternOf);
	const named = names.map((_name, at) => at).filter((at) => patterns[at]?.test(text) === true);
	const [longest] = named.sort((one, other) => names[other]!.length - names[one]!.length);
	if (longest === undefined) return undefined;
	const others = named.filter((at) => at !== longest);
	const rest = text.split(patterns[longest]!).join(' ');
	const isOnlyOne = others.every((at) => !patterns[at]!.test(rest));
	return isOnlyOne && AFFIRMS.test(rest) ? longest : undefined;
}

/** Finds a name as whole words; undefined for a name of one character. */
function patternOf(name: string): RegExp | undefined {
	const text = name.trim().normalize();
	if (text.length < 2) return undefined;
	const literal = literalPattern(text);
	return new RegExp(`(?<!${LETTER})${literal}(?!${LETTER})`, 'iu');
}
