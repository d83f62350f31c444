/** The text that n8n's agent writes into messages for earlier calls. */
import type { InputToolCall } from '../input-message';

/** A list of tool names, and nothing else. */
const CALLING_TOOLS = /^Calling tools: ([\w-]+(?:, [\w-]+)*)$/;

const USED_TOOLS = '[Used tools: Tool: ';

const RESULT = ', Result: ';

/**
 * Removes what n8n's agent added to a model's text (docs/protocols/n8n.md 2.4), because models imitate it instead of
 * calling tools. Only exact matches are removed.
 *
 * @param calls the calls of the same message
 * @returns the text of the model; empty if the agent wrote all of it
 */
export function stripAgentText(text: string, calls: readonly InputToolCall[]): string {
	const trimmed = text.trim();
	const listed = new Set(CALLING_TOOLS.exec(trimmed)?.[1]?.split(', '));
	const isCallingText = calls.some(
		({ name, args }) =>
			// n8n 2.20, in every replayed call.
			trimmed === `Calling ${name} with input: ${JSON.stringify(args)}` ||
			// n8n 2.41, the same text in all calls of a response.
			listed.has(name),
	);
	return isCallingText ? '' : stripUsedTools(text);
}

/**
 * Removes the text that n8n adds before a response if a memory stores only texts: up to the first `] ` after the last
 * result. A text with nothing else is kept.
 */
function stripUsedTools(text: string) {
	if (!text.startsWith(USED_TOOLS)) return text;
	const result = text.lastIndexOf(RESULT);
	const rest = result < 0 ? '' : text.slice(text.indexOf('] ', result) + 1).trimStart();
	return rest || text;
}
