/** The call by which an agent of n8n receives its formatted response. */
import { extractJson } from '../../text/extract-json';
import type { RawToolCall } from '../../text/calls/types';
import { asRecord, isRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import type { ToolDefinition } from '../tool-definition';
import { validateAgainstSchema } from './validate-against-schema';
import { ArgumentCoercer } from './argument-coercer';
import { FORMAT_TOOL_NAME } from '../tools/format-tool';

/**
 * Finds the call in the text of a response: JSON that matches the tool's schema, alone or in a code block, or the
 * arguments of a call written as text. Undefined if there is none, or if the parser is not connected.
 */
export function parseFormatCall(
	text: string,
	tools: readonly ToolDefinition[],
): RawToolCall | undefined {
	const tool = tools.find(({ name }) => name === FORMAT_TOOL_NAME);
	if (!tool || !/[{[]/.test(text)) return undefined;
	const getArguments = (value: unknown) => {
		const { name, arguments: args, parameters } = asRecord(value);
		return fitFormatArguments(name === FORMAT_TOOL_NAME ? (args ?? parameters) : value, tool);
	};
	const result = extractJson(text, (value) =>
		getArguments(value) === undefined ? ['does not match'] : [],
	);
	const args = result.type === 'valid' ? getArguments(result.value) : undefined;
	return args === undefined ? undefined : { name: FORMAT_TOOL_NAME, arguments: args };
}

/**
 * The arguments as JSON that matches the tool's schema: models leave out the wrapper `output`, or write it twice.
 * Undefined if no form matches.
 */
export function fitFormatArguments(
	args: unknown,
	{ schema }: ToolDefinition,
	coercer = new ArgumentCoercer(),
): string | undefined {
	return [args, { output: args }, asRecord(args).output]
		.filter(isRecord)
		.map((candidate) => coercer.coerce(JSON.stringify(candidate), schema))
		.find((json) => validateAgainstSchema(schema, parseJson(json)).issues.length === 0);
}
