import type { SourceMessage } from '../types';

/** Names of tools, and nothing else. */
const CALLING_TOOLS = /^Calling tools: ([\w-]+(?:, [\w-]+)*)$/;
const USED_TOOLS = '[Used tools: Tool: ';

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

/**
 * In front of an answer, where a memory keeps texts only. Results hold brackets themselves, so they are counted; where
 * they do not come out even, or nothing else was said, the text is left.
 */
function withoutUsedTools(text: string): string {
	if (!text.startsWith(USED_TOOLS)) return text;
	let depth = 0;
	for (let at = 0; at < text.length; at++) {
		if (text[at] === '[') depth++;
		else if (text[at] === ']') depth--;
		if (depth > 0) continue;
		const answer = text.slice(at + 1).trimStart();
		return answer === '' ? text : answer;
	}
	return text;
}
