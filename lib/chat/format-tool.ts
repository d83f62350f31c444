/** The call of n8n's Structured Output Parser, which models write as text. */
import { validateAgainstSchema } from './validate-json';
import { asRecord } from '../values';
import type { RawToolCall } from './tool-calls';
import { extractJson } from './extract-json';
import type { ToolDefinition } from './types';

/** The tool by which n8n's agent takes its final answer (n8n-io/n8n: agents, V3 and V2, `common.ts`). */
export const FORMAT_TOOL_NAME = 'format_final_json_response';

/**
 * The call in an answer of text: JSON that fits the tool's schema, by itself or in a code block, or the arguments of a
 * call that was written out. Undefined where there is none, or the parser is not connected.
 */
export function parseFormatCall(
	text: string,
	tools: readonly ToolDefinition[],
): RawToolCall | undefined {
	const tool = tools.find(({ name }) => name === FORMAT_TOOL_NAME);
	if (tool === undefined || !/[{[]/.test(text)) return undefined;
	const fits = (value: unknown) =>
		validateAgainstSchema(tool.parameters, value).issues.length === 0;
	const candidates = (value: unknown) => {
		const { name, arguments: args, parameters } = asRecord(value);
		return name === FORMAT_TOOL_NAME ? [args ?? parameters] : [value, { output: value }];
	};
	const found = extractJson(text, (value) =>
		candidates(value).some(fits) ? [] : ['it does not match'],
	);
	if ('faults' in found) return undefined;
	const args = candidates(found.value).find(fits);
	return { name: FORMAT_TOOL_NAME, arguments: JSON.stringify(args) };
}
