/** The call of n8n's Structured Output Parser, which models write as text. */
import { validateAgainstSchema } from './validate-json';
import { asRecord } from '../values';
import type { RawToolCall } from '../text/text-tool-calls';
import { extractJson } from '../text/extract-json';
import type { ToolDefinition } from './types';

/** The tool by which n8n's agent receives its final response (n8n-io/n8n: agents, V3 and V2, `common.ts`). */
export const FORMAT_TOOL_NAME = 'format_final_json_response';

/**
 * Finds the call in the text of a response: JSON that matches the tool's schema, alone or in a code block, or the
 * arguments of a call written as text. Undefined if there is none, or if the parser is not connected.
 */
export function parseFormatCall(
	text: string,
	tools: readonly ToolDefinition[],
): RawToolCall | undefined {
	const tool = tools.find(({ name }) => name === FORMAT_TOOL_NAME);
	if (tool === undefined || !/[{[]/.test(text)) return undefined;
	const isValid = (value: unknown) =>
		validateAgainstSchema(tool.parameters, value).issues.length === 0;
	const candidates = (value: unknown) => {
		const { name, arguments: args, parameters } = asRecord(value);
		return name === FORMAT_TOOL_NAME ? [args ?? parameters] : [value, { output: value }];
	};
	const result = extractJson(text, (value) =>
		candidates(value).some(isValid) ? [] : ['does not match'],
	);
	if (result.type === 'invalid') return undefined;
	const args = candidates(result.value).find(isValid);
	return { name: FORMAT_TOOL_NAME, arguments: JSON.stringify(args) };
}
