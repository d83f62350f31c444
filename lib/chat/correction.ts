/** A model's mistake in a call is not the end of the run: the model reads what was wrong, and answers again. */
import { truncate } from '../values';
import { ArgumentFitter } from './coerce-arguments';
import { parseArguments, findMissingArguments, type RawToolCall } from './tool-calls';
import { breakControlTokens } from './content';
import { fittingName } from './grammar-schema';
import type { ChatMessage, ToolDefinition } from './types';

/** How often a turn is corrected. */
export const MAX_CORRECTIONS = 2;
/** Bytes that a correction adds to the conversation, as JSON without the fields of the wire protocol. */
const MAX_BYTES = 3_600;
/** Calls that a correction repeats, and bytes for the text and for each call's arguments: the first that fits counts. */
const SIZES = [
	[10, 1_000],
	[10, 300],
	[10, 100],
	[3, 100],
	[1, 100],
] as const;
const MAX_NAMES = 20;
const MAX_NAME = 64;
/** Bytes of a name or a list of names, of broken arguments, of an answer that breaks its format. */
const MAX_NAME_BYTES = 200;
const MAX_LIST_BYTES = 1_000;
const MAX_QUOTED = 200;
const MAX_FORMATTED = 2_000;

/** What is wrong with a call. */
export interface ToolCallIssue {
	call: RawToolCall;
	type: 'unknownTool' | 'brokenArguments' | 'missingArguments';
	/** Missing arguments. */
	missing: string[];
}

/** The valid calls of an answer with the names and arguments of offered tools, and what is wrong with the others. */
export function checkToolCalls(
	calls: readonly RawToolCall[],
	tools: readonly ToolDefinition[],
	areFromText = false,
): { calls: RawToolCall[]; faults: ToolCallIssue[] } {
	const findTool = toolFinder(tools, areFromText);
	const faults: ToolCallIssue[] = [];
	const fitter = new ArgumentFitter();
	const valid: RawToolCall[] = [];
	for (const call of calls) {
		const tool = findTool(call.name);
		const args = tool && parseArguments(call.arguments);
		if (tool === undefined) faults.push({ call, type: 'unknownTool', missing: [] });
		else if (args === undefined) faults.push({ call, type: 'brokenArguments', missing: [] });
		else {
			const fitted = fitter.fitted(args, tool.parameters);
			const missing = findMissingArguments(fitted, tool.parameters);
			if (missing.length > 0) faults.push({ call, type: 'missingArguments', missing });
			else valid.push({ ...call, name: tool.name, arguments: fitted });
		}
	}
	return { calls: valid, faults };
}

/**
 * Finds a tool by its exact name, or by its name without the prefix of its MCP client if only one tool has that. The model
 * sees the sent form of a name, and may know the own one. A call in a text has the exact name.
 */
function toolFinder(
	tools: readonly ToolDefinition[],
	areFromText: boolean,
): (name: string) => ToolDefinition | undefined {
	const exact = new Map(tools.map((tool) => [tool.name, tool]));
	const short = new Map<string, ToolDefinition | undefined>();
	for (const tool of areFromText ? [] : tools) {
		const { shortName } = tool;
		const names = shortName === undefined ? [] : [shortName, fittingName(shortName)];
		for (const name of new Set(names)) short.set(name, short.has(name) ? undefined : tool);
	}
	return (name) => exact.get(name) ?? short.get(name);
}

/** A name from a model or a tool, so that it is no order to anybody. */
export function shownName(name: string): string {
	return startOf(truncate(name, MAX_NAME), MAX_NAME_BYTES);
}

/** Names from a tool's schema. */
export function shownNames(names: readonly string[]): string {
	return startOf(names.slice(0, MAX_NAMES).map(shownName).join(', '), MAX_LIST_BYTES);
}

/** The beginning of a text, without control tokens, in at most so many bytes of JSON. */
function startOf(text: string, bytes: number): string {
	let start = '';
	let size = 0;
	for (const character of breakControlTokens(text.slice(0, bytes))) {
		size += jsonBytes(character) - '""'.length;
		if (size > bytes - Buffer.byteLength('…')) return `${start}…`;
		start += character;
	}
	return start;
}

function jsonBytes(value: unknown): number {
	return Buffer.byteLength(JSON.stringify(value));
}

/** What the model reads of a fault. */
function sentenceOf({ call, type, missing }: ToolCallIssue): string {
	const name = shownName(call.name);
	if (type === 'unknownTool') return `Error: there is no tool ${JSON.stringify(name)}.`;
	if (type === 'missingArguments')
		return `Error: the call of ${name} lacks required arguments: ${shownNames(missing)}. Call it again with them.`;
	const quoted = JSON.stringify(startOf(call.arguments, MAX_QUOTED));
	return `Error: the arguments of ${name} are not valid JSON: ${quoted}. Call it again with valid JSON.`;
}

/**
 * What is added to the conversation for the next try: the calls as they were, and as their results what was wrong.
 * Arguments that are no JSON, and long ones, go as `{}`, since a template parses them (llama-server answers 500
 * otherwise).
 */
export function buildToolCallCorrection(
	text: string,
	calls: readonly RawToolCall[],
	faults: readonly ToolCallIssue[],
	tools: readonly ToolDefinition[],
	idOf: (index: number) => string,
): ChatMessage[] {
	const byCall = new Map(faults.map((fault) => [fault.call, fault]));
	const faultyFirst = [...new Set([...byCall.keys(), ...calls])];
	let correction: ChatMessage[] = [];
	for (const [count, bytes] of SIZES) {
		const repeated = new Set(faultyFirst.slice(0, count));
		const shown = calls.filter((call) => repeated.has(call));
		const results = resultsOf(shown, byCall, tools, calls.length - shown.length);
		const toolCalls = shown.map((call, index) => ({
			id: idOf(index),
			name: shownName(call.name),
			arguments: repeatedArguments(call, bytes),
		}));
		correction = [
			{ role: 'assistant', content: startOf(text, bytes), toolCalls },
			...toolCalls.map(({ id, name }, index): ChatMessage => {
				return { role: 'tool', toolCallId: id, name, content: results[index]! };
			}),
		];
		if (jsonBytes(correction) <= MAX_BYTES) break;
	}
	return correction;
}

function repeatedArguments(call: RawToolCall, bytes: number): string {
	const isShort = call.arguments.length <= bytes && jsonBytes(call.arguments) <= bytes;
	const args = isShort ? parseArguments(call.arguments) : undefined;
	return breakControlTokens(args ?? '{}');
}

function resultsOf(
	calls: readonly RawToolCall[],
	faults: ReadonlyMap<RawToolCall, ToolCallIssue>,
	tools: readonly ToolDefinition[],
	omitted: number,
): string[] {
	const results = calls.map((call) => {
		const fault = faults.get(call);
		return fault === undefined
			? 'Not run, because another call of the same answer was faulty.'
			: sentenceOf(fault);
	});
	const unknown = calls.findIndex((call) => faults.get(call)?.type === 'unknownTool');
	const names = tools.slice(0, MAX_NAMES).map(({ name }) => name);
	if (unknown >= 0)
		results[unknown] +=
			` Available tools: ${names.join(', ')}. Call one of these, or answer without a tool.`;
	if (omitted > 0) results[results.length - 1] += ` ${omitted} more calls were not run.`;
	return results;
}

/** The correction of an answer that breaks the schema of the response format. */
export function buildFormatCorrection(text: string, problem: string): ChatMessage[] {
	const short = startOf(problem, MAX_LIST_BYTES);
	return [
		{ role: 'assistant', content: startOf(text, MAX_FORMATTED) },
		{
			role: 'user',
			content: `The answer does not fit the JSON schema: ${short}. Answer again with JSON that fits it, and nothing else.`,
		},
	];
}
