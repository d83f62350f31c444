/** Checks tool calls against the connected tools, and repairs what is certain. */
import type { RawToolCall } from '../../text/calls/types';
import type { JsonRecord } from '../../values/records';
import { asArray, asRecord, isRecord } from '../../values/records';
import { findDuplicateKeys, hasDuplicateKeys } from '../../text/json-members';
import { parseArguments } from '../tools/arguments';
import type { ToolDefinition } from '../tool-definition';
import { validateAgainstSchema } from './validate-against-schema';
import { ArgumentCoercer } from './argument-coercer';
import { fitFormatArguments } from './format-call';
import { FORMAT_TOOL_NAME } from '../tools/format-tool';
import { createToolFinder } from '../tools/tool-finder';
import { toSafeName } from './correction';
import type { ToolCallIssue } from './tool-call-issue';

/** The calls of a response, checked. */
export interface CheckedToolCalls {
	/** With the wire names of the tools, as they were offered, and coerced arguments. */
	validCalls: RawToolCall[];
	/** One for each of the other calls. */
	issues: ToolCallIssue[];
	/** What n8n may do differently with valid calls, for the user. */
	warnings: string[];
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
	const warnings = new Set<string>();
	for (const toolCall of toolCalls) {
		const tool = findTool(toolCall.name);
		if (!tool) {
			issues.push({ toolCall, type: 'unknownTool', details: [] });
			continue;
		}
		const checked = checkArguments(toolCall, tool, coercer);
		if ('type' in checked) {
			issues.push({ toolCall, ...checked });
			continue;
		}
		validCalls.push({ id: toolCall.id, name: tool.name, arguments: checked.json });
		for (const warning of checked.warnings) if (warnings.size < MAX_WARNINGS) warnings.add(warning);
	}
	return { validCalls, issues, warnings: [...warnings] };
}

/** Warnings about the arguments of a response. */
const MAX_WARNINGS = 10;

/** Arguments that fit. */
interface CheckedArguments {
	/** The coerced arguments as JSON text. */
	json: string;
	warnings: string[];
}

type ArgumentsIssue = Pick<ToolCallIssue, 'type' | 'details'>;

/** The coerced arguments, or what is wrong with them. */
function checkArguments(
	{ arguments: source, hasNullTexts }: RawToolCall,
	tool: ToolDefinition,
	coercer: ArgumentCoercer,
): CheckedArguments | ArgumentsIssue {
	const { name, schema } = tool;
	const args = parseArguments(source);
	if (args === undefined) return { type: 'brokenArguments', details: [] };
	if (name === FORMAT_TOOL_NAME) return checkFormatArguments(args.value, tool, coercer);
	if (hasDuplicateKeys(args.json, args.value))
		return { type: 'ambiguousArguments', details: findDuplicateKeys(args.json) };
	const inexactBefore = coercer.inexactNumbers.length;
	const { json, value } = coercer.coerce(args, schema, { hasNullTexts });
	const missing = findMissing({ args: value, schema });
	if (missing.length > 0) return { type: 'missingArguments', details: missing };
	const unknown = findUnknown({ args: value, schema });
	if (unknown.length > 0 && unknown.length === Object.keys(value).length)
		return { type: 'unknownArguments', details: unknown };
	const inexact = coercer.inexactNumbers.slice(inexactBefore);
	const { isLimitReached: isTooLarge } = coercer;
	return { json, warnings: getArgumentWarnings(name, { unknown, inexact, isTooLarge }) };
}

function checkFormatArguments(
	value: JsonRecord,
	tool: ToolDefinition,
	coercer: ArgumentCoercer,
): CheckedArguments | ArgumentsIssue {
	const json = fitFormatArguments(value, tool, coercer);
	if (json !== undefined) return { json, warnings: [] };
	const { issues } = validateAgainstSchema(tool.schema, value);
	return { type: 'invalidArguments', details: issues };
}

/** Arguments, and what a tool takes. */
interface ArgumentsOfTool {
	args: JsonRecord;
	schema: JsonRecord;
}

/**
 * The names of required arguments that a call lacks. For an approval, n8n puts a tool's arguments into `toolParameters`,
 * and its own into the optional `hitlParameters` (n8n-core, `createHitlToolkit`).
 */
function findMissing({ args, schema }: ArgumentsOfTool): string[] {
	const { required, properties } = schema;
	const { toolParameters, hitlParameters } = asRecord(properties);
	const missing = asArray(required).filter(
		(name) => typeof name === 'string' && !Object.hasOwn(args, name),
	) as string[];
	if (toolParameters === undefined || hitlParameters === undefined) return missing;
	const missingForTool = missing.filter((name) => name !== 'hitlParameters');
	if (missingForTool.includes('toolParameters')) return missingForTool;
	const inner = findMissing({
		args: asRecord(args.toolParameters),
		schema: asRecord(toolParameters),
	});
	return [...missingForTool, ...inner.map((name) => `toolParameters.${name}`)];
}

/** Keywords beside which `properties` are not all properties of a schema. */
const OPEN_KEYWORDS = ['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'patternProperties'];

/**
 * The names of arguments that a tool does not define. n8n drops them (`@n8n/json-schema-to-zod` and zod's objects), so a
 * call with nothing else would run without arguments. Empty for a tool that may have others, or defines none.
 */
function findUnknown({ args, schema }: ArgumentsOfTool): string[] {
	const { properties, additionalProperties = false } = schema;
	if (!isRecord(properties) || Object.keys(properties).length === 0) return [];
	if (additionalProperties !== false || OPEN_KEYWORDS.some((name) => Object.hasOwn(schema, name)))
		return [];
	return Object.keys(args).filter((name) => !Object.hasOwn(properties, name));
}

/** Names or numbers in a warning. */
const MAX_NAMED = 5;

/** What n8n may do differently with the arguments of a call. */
interface ArgumentDoubts {
	/** Names that the tool does not define. */
	unknown: readonly string[];
	/** Numbers that stay texts. */
	inexact: readonly string[];
	/** Whether there are too many values to convert texts. */
	isTooLarge: boolean;
}

function getArgumentWarnings(
	toolName: string,
	{ unknown, inexact, isTooLarge }: ArgumentDoubts,
): string[] {
	const tool = toSafeName(toolName);
	const list = (names: readonly string[]) =>
		[...names.slice(0, MAX_NAMED).map(toSafeName), ...(names.length > MAX_NAMED ? ['…'] : [])].join(
			', ',
		);
	return [
		unknown.length > 0 &&
			`The model called the tool "${tool}" with arguments that it does not define (${list(unknown)}). n8n may ignore them.`,
		inexact.length > 0 &&
			`The model called the tool "${tool}" with ${list(inexact)}, which exceeds number precision and was kept as text, so n8n may reject it. Let the tool accept a string for this argument.`,
		isTooLarge &&
			`The arguments of the tool "${tool}" are too large to convert all texts in them to the types of its schema. n8n may reject them.`,
	].filter((warning) => warning !== false);
}
