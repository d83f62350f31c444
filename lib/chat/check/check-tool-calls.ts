/** Checks tool calls against the connected tools, and repairs what is certain. */
import type { RawToolCall } from '../../text/calls/types';
import type { JsonRecord } from '../../values/records';
import { asArray, asRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { normalizeArguments } from '../tools/arguments';
import type { ToolDefinition } from '../tool-definition';
import { validateAgainstSchema } from './validate-against-schema';
import { ArgumentCoercer } from './argument-coercer';
import { fitFormatArguments } from './format-call';
import { FORMAT_TOOL_NAME } from '../tools/format-tool';
import { createToolFinder } from '../tools/tool-finder';

/** An invalid tool call. */
export interface ToolCallIssue {
	toolCall: RawToolCall;
	type: 'unknownTool' | 'brokenArguments' | 'missingArguments' | 'invalidArguments';
	/** Names of missing arguments, or why the arguments do not match the schema. */
	details: string[];
}

/** The calls of a response, checked. */
export interface CheckedToolCalls {
	/** With the wire names of the tools, as they were offered, and coerced arguments. */
	validCalls: RawToolCall[];
	/** One for each of the other calls. */
	issues: ToolCallIssue[];
}

/** Compares each call with the tool that it names. */
export function checkToolCalls(
	toolCalls: readonly RawToolCall[],
	tools: readonly ToolDefinition[],
): CheckedToolCalls {
	const findTool = createToolFinder(tools);
	const issues: ToolCallIssue[] = [];
	const coercer = new ArgumentCoercer();
	const validCalls: RawToolCall[] = [];
	for (const toolCall of toolCalls) {
		const tool = findTool(toolCall.name);
		if (!tool) {
			issues.push({ toolCall, type: 'unknownTool', details: [] });
			continue;
		}
		const checked = checkArguments(toolCall, tool, coercer);
		if (typeof checked === 'string')
			validCalls.push({ id: toolCall.id, name: tool.name, arguments: checked });
		else issues.push({ toolCall, ...checked });
	}
	return { validCalls, issues };
}

/** The coerced arguments, or what is wrong with them. */
function checkArguments(
	{ arguments: source, hasNullTexts }: RawToolCall,
	tool: ToolDefinition,
	coercer: ArgumentCoercer,
): string | Pick<ToolCallIssue, 'type' | 'details'> {
	const { name, schema } = tool;
	const args = normalizeArguments(source);
	if (args === undefined) return { type: 'brokenArguments', details: [] };
	if (name === FORMAT_TOOL_NAME) {
		const value = parseJson(args);
		const details = validateAgainstSchema(schema, value).issues;
		return fitFormatArguments(value, tool, coercer) ?? { type: 'invalidArguments', details };
	}
	const coerced = coercer.coerce(args, schema, { hasNullTexts });
	const details = findMissing(asRecord(parseJson(coerced)), schema);
	return details.length > 0 ? { type: 'missingArguments', details } : coerced;
}

/**
 * The names of required arguments that a call lacks. For an approval, n8n puts a tool's arguments into `toolParameters`, and its own into the optional `hitlParameters`
 * (n8n-core, `createHitlToolkit`).
 */
function findMissing(args: JsonRecord, { required, properties }: JsonRecord): string[] {
	const { toolParameters, hitlParameters } = asRecord(properties);
	const missing = asArray(required).filter(
		(name) => typeof name === 'string' && !Object.hasOwn(args, name),
	) as string[];
	if (toolParameters === undefined || hitlParameters === undefined) return missing;
	const missingForTool = missing.filter((name) => name !== 'hitlParameters');
	if (missingForTool.includes('toolParameters')) return missingForTool;
	const inner = findMissing(asRecord(args.toolParameters), asRecord(toolParameters));
	return [...missingForTool, ...inner.map((name) => `toolParameters.${name}`)];
}
