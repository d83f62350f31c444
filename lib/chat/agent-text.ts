import { parseJson } from '../json';
import type { SourceMessage } from './types';

/** A list of tool names, and nothing else. */
const CALLING_TOOLS = /^Calling tools: ([\w-]+(?:, [\w-]+)*)$/;
const USED_TOOLS = '[Used tools: Tool: ';
const RESULT = ', Result: ';

/**
 * Removes what n8n's agent added to a model's text (docs/protocols/n8n.md 2.4), because models imitate it instead of
 * calling tools. Only exact matches are removed.
 *
 * @param calls the calls of the same message
 */
export function withoutAgentText(
	text: string,
	calls: NonNullable<SourceMessage['toolCalls']>,
): string {
	const trimmed = text.trim();
	const [, listed] = CALLING_TOOLS.exec(trimmed) ?? [];
	const isCallingText = calls.some(
		({ name, args }) =>
			// n8n 2.20, in every replayed call.
			trimmed === `Calling ${name} with input: ${JSON.stringify(args)}` ||
			// n8n 2.41, the same text in all calls of an answer.
			listed?.split(', ').includes(name) === true,
	);
	return isCallingText ? '' : withoutUsedTools(text);
}

/** n8n's text about one tool: its input is JSON, its result any text. */
const USED_TOOL = /^.*?, Input: (.*?), Result: (.*)$/s;
/** How many brackets are tried as the end of n8n's text. */
const MAX_ENDS = 200;

/**
 * Removes n8n's text in front of an answer, which it adds if a memory keeps only texts. Results may contain brackets,
 * so the end is the first bracket before which everything parses as n8n's text, with results that are JSON or have
 * balanced brackets; otherwise the first bracket after the last result. A text with nothing else is kept.
 */
function withoutUsedTools(text: string): string {
	if (!text.startsWith(USED_TOOLS) || !text.includes(RESULT)) return text;
	const ends = [...text.matchAll(/\](?=\s|$)/g)].slice(0, MAX_ENDS).map(({ index }) => index);
	const endBehind = (isResult: (result: string) => boolean) =>
		ends.find((end) =>
			text
				.slice(USED_TOOLS.length, end)
				.split('; Tool: ')
				.every((used) => {
					const [, input = '', result = ''] = USED_TOOL.exec(used) ?? [];
					return parseJson(input) !== undefined && isResult(result);
				}),
		);
	const end =
		endBehind(isJsonOrText) ??
		endBehind(isBalanced) ??
		text.indexOf('] ', text.lastIndexOf(RESULT));
	return text.slice(end + 1).trimStart() || text;
}

function isJsonOrText(result: string): boolean {
	return /^[[{"]/.test(result) ? parseJson(result) !== undefined : isBalanced(result);
}

function isBalanced(text: string): boolean {
	return text.split('[').length === text.split(']').length;
}
