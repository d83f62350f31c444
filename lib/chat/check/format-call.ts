/** The call by which an agent of n8n receives its formatted response. */
import { extractJson } from '../../text/extract-json';
import type { RawToolCall } from '../../text/calls/types';
import { asRecord, isRecord } from '../../values/records';
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
	/** By the value that states them; a long one is fitted once. */
	const known = new Map<unknown, string | undefined>();
	const getArguments = (value: unknown) => {
		if (!known.has(value)) known.set(value, fitStatedArguments(value, tool));
		return known.get(value);
	};
	const result = extractJson(text, (value) =>
		getArguments(value) === undefined ? ['does not match'] : [],
	);
	const args = result.type === 'valid' ? getArguments(result.value) : undefined;
	return args === undefined ? undefined : { name: FORMAT_TOOL_NAME, arguments: args };
}

function fitStatedArguments(value: unknown, tool: ToolDefinition): string | undefined {
	const { name, arguments: args, parameters } = asRecord(value);
	return fitFormatArguments(name === FORMAT_TOOL_NAME ? (args ?? parameters) : value, tool);
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
	for (const candidate of [args, { output: args }, asRecord(args).output]) {
		if (!isRecord(candidate)) continue;
		const received = { json: JSON.stringify(candidate), value: candidate };
		const { json, value } = coercer.coerce(received, schema);
		if (validateAgainstSchema(schema, value).issues.length === 0) return json;
	}
	return undefined;
}
