import { parseJson } from '../../values';
import type { SourceMessage } from '../types';

/** Names of tools, and nothing else. */
const CALLING_TOOLS = /^Calling tools: ([\w-]+(?:, [\w-]+)*)$/;
const USED_TOOLS = '[Used tools: Tool: ';
const RESULT = ', Result: ';

/**
 * A text of the model without what n8n's agent wrote into it (docs/protocols/n8n.md 2.4). Models imitate it in place of
 * calling a tool. What is not exactly that is left.
 *
 * @param calls those of the same message
 */
export function withoutAgentText(text: string, calls: NonNullable<SourceMessage['toolCalls']>): string {
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

/** What n8n writes of one tool: its input is JSON, and its result any text. */
const USED_TOOL = /^.*?, Input: (.*?), Result: (.*)$/s;
/** Brackets that may be the end of what n8n wrote. */
const MAX_ENDS = 200;

/**
 * In front of an answer, where a memory keeps texts only. Results hold brackets themselves, so the end is where all of it
 * reads as n8n writes it: with results of JSON, else with brackets that come out even. Where that is nowhere, it is the
 * first bracket behind the last result. Where nothing else was said, the text is left.
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
	const end = endBehind(isJsonOrText) ?? endBehind(isEven) ?? text.indexOf('] ', text.lastIndexOf(RESULT));
	return text.slice(end + 1).trimStart() || text;
}

function isJsonOrText(result: string): boolean {
	return /^[[{"]/.test(result) ? parseJson(result) !== undefined : isEven(result);
}

function isEven(text: string): boolean {
	return text.split('[').length === text.split(']').length;
}
