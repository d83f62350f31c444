/** Tags that begin thinking, and tags that begin the text for the user, where a server leaves them in a response. */
import { getClosingMark } from './calls/call-marks';

/** Tags that begin thinking. */
export const THINKING_TAGS: readonly string[] = [
	'<think>',
	'[THINK]',
	'<|think:start|>',
	'<|open|>think<|sep|>',
	'◁think▷',
	'<longcat_think>',
	'<mm:think>',
	'<seed:think>',
	'<|START_THINKING|>',
	'<thought>',
	'<|inner_prefix|>',
	'<|plamo:begin_think:plamo|>',
];

/** Tags that begin the text for the user. */
export const TEXT_TAGS: readonly string[] = [
	'<|open|>response<|sep|>',
	'<|START_RESPONSE|>',
	'<|START_TEXT|>',
];

/** The tag that ends the thinking or the text that another one begins. */
export function toEndTag(tag: string): string {
	const end = getClosingMark(tag);
	return end === tag ? `${tag[0]}/${tag.slice(1)}` : end;
}
