/** Checks tool calls against the connected tools, and repairs what is certain. */
import { extractJson } from '../text/extract-json';
import type { RawToolCall } from '../text/calls/types';
import { hasDuplicateKeys } from '../text/json-members';
import { repairJson } from '../text/literals';
import type { JsonRecord } from '../values/records';
import { asArray, asRecord, isRecord } from '../values/records';
import { parseJson } from '../values/json';
import { parseJsonExactly } from '../values/exact-json';
import { normalizeArguments, toValidName } from './tool-calls';
import type { ToolDefinition } from './types';
import { validateAgainstSchema } from './validate-json';

/** An invalid tool call. */
export interface ToolCallIssue {
	toolCall: RawToolCall;
	type: 'unknownTool' | 'brokenArguments' | 'missingArguments' | 'invalidArguments';
	/** Names of missing arguments, or why the arguments do not match the schema. */
	details: string[];
}

/** Returns the valid calls with the tools' own names and coerced arguments, and the issues of the other calls. */
export function checkToolCalls(
	toolCalls: readonly RawToolCall[],
	tools: readonly ToolDefinition[],
): {
	validCalls: RawToolCall[];
	issues: ToolCallIssue[];
} {
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
		const checked = checkArguments(toolCall.arguments, tool, coercer);
		if (typeof checked === 'string')
			validCalls.push({ ...toolCall, name: tool.name, arguments: checked });
		else issues.push({ toolCall, ...checked });
	}
	return { validCalls, issues };
}

/** The coerced arguments, or what is wrong with them. */
function checkArguments(
	source: string,
	tool: ToolDefinition,
	coercer: ArgumentCoercer,
): string | Pick<ToolCallIssue, 'type' | 'details'> {
	const { name, parameters } = tool;
	const args = normalizeArguments(source);
	if (args === undefined) return { type: 'brokenArguments', details: [] };
	if (name === FORMAT_TOOL_NAME) {
		const value = parseJson(args);
		const details = validateAgainstSchema(parameters, value).issues;
		return fitFormatArguments(value, tool, coercer) ?? { type: 'invalidArguments', details };
	}
	const coerced = coercer.coerce(args, parameters);
	const details = findMissing(asRecord(parseJson(coerced)), parameters);
	return details.length > 0 ? { type: 'missingArguments', details } : coerced;
}

/**
 * Finds a tool by its exact name, or by its name without the prefix of its MCP client if only one tool has it. The model
 * sees the wire name and may know the original one.
 */
function createToolFinder(
	tools: readonly ToolDefinition[],
): (name: string) => ToolDefinition | undefined {
	const byName = new Map(tools.map((tool) => [tool.name, tool]));
	const byShortName = new Map<string, ToolDefinition | undefined>();
	for (const tool of tools) {
		for (const name of getShortNames(tool))
			byShortName.set(name, byShortName.has(name) ? undefined : tool);
	}
	return (name) => byName.get(name) ?? byShortName.get(name);
}

/** Names of a tool without the prefix of its MCP client, as it is known and as it is sent. */
function getShortNames({ shortName }: ToolDefinition): string[] {
	return shortName === undefined ? [] : [...new Set([shortName, toValidName(shortName)])];
}

/** All names by which a call can name one of the tools, each with the full name of its tool. */
export function getCallableNames(tools: readonly ToolDefinition[]): Map<string, string> {
	const findTool = createToolFinder(tools);
	const names = tools.flatMap((tool) => [tool.name, ...getShortNames(tool)]);
	return new Map(
		names
			.flatMap((name) => [[name, findTool(name)?.name ?? '']] as const)
			.filter(([, tool]) => tool !== ''),
	);
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
function fitFormatArguments(
	args: unknown,
	{ parameters }: ToolDefinition,
	coercer = new ArgumentCoercer(),
) {
	return [args, { output: args }, asRecord(args).output]
		.filter(isRecord)
		.map((candidate) => coercer.coerce(JSON.stringify(candidate), parameters))
		.find((json) => validateAgainstSchema(parameters, parseJson(json)).issues.length === 0);
}

/** Deeper values are not changed. */
const MAX_DEPTH = 20;
/** Maximum values and schema parts read per response: about 50 ms. */
const MAX_STEPS = 100_000;

/** Coerces the arguments of all calls of one response, which share the step limit and the cached schema checks. */
export class ArgumentCoercer {
	private steps = 0;
	/** Per schema part: whether it excludes a type. */
	private readonly excluded = new Map<JsonRecord, Map<string, boolean>>();
	private readonly required = new Map<JsonRecord, ReadonlySet<unknown>>();

	/**
	 * Changes only values that the schema excludes: booleans, numbers, lists and objects written as text, and `null` for
	 * an optional field. A string stays a string if the schema accepts one.
	 *
	 * `args`: JSON text of an object.
	 * Returns the same text if nothing changes, which keeps the notation of numbers, or if coercion takes too long.
	 */
	coerce(args: string, schema: JsonRecord): string {
		const value = parseJson(args);
		if (!isRecord(value)) return args;
		const coerced = JSON.stringify(this.coerceObject(value, schema, 0));
		return this.isLimitReached || coerced === JSON.stringify(value) ? args : coerced;
	}

	private get isLimitReached() {
		return this.steps > MAX_STEPS;
	}

	private coerceObject(value: JsonRecord, schema: JsonRecord, depth: number): JsonRecord {
		const properties = asRecord(schema.properties);
		const entries = Object.entries(value).flatMap(
			([name, fieldValue]): Array<[string, unknown]> => {
				if (!Object.hasOwn(properties, name)) return [[name, fieldValue]];
				const fieldSchema = asRecord(properties[name]);
				const isOmitted = fieldValue === null && this.canOmit(name, schema, fieldSchema);
				return isOmitted ? [] : [[name, this.coerceValue(fieldValue, fieldSchema, depth + 1)]];
			},
		);
		return Object.fromEntries(entries);
	}

	private canOmit(name: string, schema: JsonRecord, fieldSchema: JsonRecord): boolean {
		const required = this.required.get(schema) ?? new Set(asArray(schema.required));
		this.required.set(schema, required);
		return !required.has(name) && this.excludes(fieldSchema, 'null');
	}

	private coerceValue(value: unknown, schema: JsonRecord, depth: number): unknown {
		this.steps += 1;
		if (this.isLimitReached || depth > MAX_DEPTH) return value;
		if (typeof value === 'string' && this.excludes(schema, 'string')) {
			const parsed = this.parseText(value, schema);
			return parsed === undefined ? value : this.coerceValue(parsed, schema, depth + 1);
		}
		if (isRecord(value)) return this.coerceObject(value, schema, depth);
		if (!Array.isArray(value) || !isRecord(schema.items)) return value;
		const { items } = schema;
		return value.map((item: unknown) => this.coerceValue(item, items, depth + 1));
	}

	/** The value that a text stands for; undefined if the schema does not accept it. */
	private parseText(text: string, schema: JsonRecord): unknown {
		const trimmed = text.trim();
		const word = trimmed.toLowerCase();
		const isBoolean = word === 'true' || word === 'false';
		if (isBoolean && !this.excludes(schema, 'boolean')) return word === 'true';
		const json = /^[[{]/.test(trimmed) ? repairJson(trimmed) : trimmed;
		const value = json === undefined ? undefined : parseJsonExactly(json);
		if (typeof value === 'number')
			return this.acceptsNumber(value, trimmed, schema) ? value : undefined;
		// Of a key that occurs twice, one value would be lost.
		if (json === undefined || value === undefined || hasDuplicateKeys(json)) return undefined;
		if (Array.isArray(value)) return this.excludes(schema, 'array') ? undefined : value;
		return isRecord(value) && !this.excludes(schema, 'object') ? value : undefined;
	}

	/** Whether a number keeps its digits and has a type that the schema accepts. */
	private acceptsNumber(value: number, text: string, schema: JsonRecord) {
		const isExact = Number.isFinite(value) && (String(value) === text || !/\d{16}/.test(text));
		const isInteger = Number.isInteger(value) && !this.excludes(schema, 'integer');
		return isExact && (isInteger || !this.excludes(schema, 'number'));
	}

	/** Whether a schema certainly rejects all values of a type. A schema without types excludes none. */
	private excludes(schema: JsonRecord, type: string): boolean {
		const resultByType = this.excluded.get(schema) ?? new Map<string, boolean>();
		this.excluded.set(schema, resultByType);
		const result = resultByType.get(type) ?? this.computeExclusion(schema, type);
		resultByType.set(type, result);
		return result;
	}

	private computeExclusion(schema: JsonRecord, type: string): boolean {
		this.steps += 1;
		if (this.isLimitReached) return false;
		const branches = [...asArray(schema.anyOf), ...asArray(schema.oneOf)];
		if (branches.length > 0)
			return branches.every((branch) => branch === false || this.excludes(asRecord(branch), type));
		return excludesDirectly(schema, type);
	}
}

function excludesDirectly(schema: JsonRecord, type: string) {
	if (schema.enum !== undefined)
		return asArray(schema.enum).every((value) => getJsonType(value) !== type);
	const types = [schema.type].flat().filter((value) => typeof value === 'string');
	if (types.length === 0) return false;
	return !types.includes(type) && !(type === 'integer' && types.includes('number'));
}

function getJsonType(value: unknown): string {
	if (value === null) return 'null';
	return Array.isArray(value) ? 'array' : typeof value;
}
