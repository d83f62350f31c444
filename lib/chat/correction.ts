/** A model's mistake in a call is not the end of the run: the model reads what was wrong, and answers again. */
import { shortened } from '../values';
import { fittedArguments } from './arguments';
import { argumentsOf, missingArguments, type ReadCall } from './calls';
import { withoutControlTokens } from './content';
import type { ChatMessage, ToolDefinition } from './types';

/** How often a turn is corrected. */
export const MOST_CORRECTIONS = 2;
/** Characters of the model's own text that are shown to it. */
const MAX_QUOTED = 200;
const MOST_NAMES = 50;

/** What is wrong with a call. */
export interface Fault {
	call: ReadCall;
	kind: 'unknownTool' | 'brokenArguments' | 'missingArguments';
	/** Said to the model. */
	sentence: string;
	/** Missing arguments. */
	missing?: string[];
}

/** The calls of an answer with the names and arguments of offered tools, and what is wrong with them. */
export function checkedCalls(
	calls: readonly ReadCall[],
	tools: readonly ToolDefinition[],
	areFromText = false,
): { calls: ReadCall[]; faults: Fault[] } {
	const faults: Fault[] = [];
	const checked = calls.map((call) => {
		const tool = toolOf(call.name, tools, areFromText);
		const fault = faultOf(call, tool, tools);
		if (fault !== undefined) faults.push(fault);
		const args = argumentsOf(call.arguments);
		if (tool === undefined || args === undefined) return call;
		return { ...call, name: tool.name, arguments: fittedArguments(args, tool.parameters) };
	});
	return { calls: checked, faults };
}

/**
 * The tool of a name: as it is, else the one whose name ends so behind the prefix that it shares with another tool, as
 * tools of an MCP server do. A plain ending would run `delete_user` for `user`.
 */
function toolOf(
	name: string,
	tools: readonly ToolDefinition[],
	isFromText: boolean,
): ToolDefinition | undefined {
	const exact = tools.find((tool) => tool.name === name);
	if (exact !== undefined || isFromText || name === '') return exact;
	const fits = tools.filter((tool) => hasPrefix(tool, name, tools));
	return fits.length === 1 ? fits[0] : undefined;
}

function hasPrefix(tool: ToolDefinition, name: string, tools: readonly ToolDefinition[]): boolean {
	const prefix = tool.name.slice(0, -name.length);
	if (!tool.name.endsWith(name) || !/[^_.:/-][_.:/-]+$/.test(prefix)) return false;
	return tools.filter((other) => other.name.startsWith(prefix)).length >= 2;
}

function faultOf(
	call: ReadCall,
	tool: ToolDefinition | undefined,
	tools: readonly ToolDefinition[],
): Fault | undefined {
	if (tool === undefined) {
		const names = tools.slice(0, MOST_NAMES).map(({ name }) => name);
		const sentence = `Error: there is no tool ${quoted(call.name)}. Available tools: ${names.join(', ')}. Call one of these, or answer without a tool.`;
		return { call, kind: 'unknownTool', sentence };
	}
	const args = argumentsOf(call.arguments);
	if (args === undefined) {
		const sentence = `Error: the arguments of ${tool.name} are not valid JSON: ${quoted(call.arguments)}. Call it again with valid JSON.`;
		return { call, kind: 'brokenArguments', sentence };
	}
	const missing = missingArguments(args, tool.parameters);
	if (missing.length === 0) return undefined;
	const sentence = `Error: the call of ${tool.name} lacks required arguments: ${missing.join(', ')}. Call it again with them.`;
	return { call, kind: 'missingArguments', sentence, missing };
}

/** The model's own words, so that they are no order to anybody. */
function quoted(text: string): string {
	return JSON.stringify(withoutControlTokens(shortened(text, MAX_QUOTED)));
}

/**
 * What is added to the conversation for the next try: the calls as they were, and as their results what was wrong.
 * Arguments that are no JSON go as `{}`, since a template parses them (llama-server answers 500 otherwise).
 */
export function correctionOf(
	text: string,
	calls: readonly ReadCall[],
	faults: readonly Fault[],
	idOf: (index: number) => string,
): ChatMessage[] {
	const toolCalls = calls.map((call, index) => ({
		id: idOf(index),
		name: call.name,
		arguments: argumentsOf(call.arguments) ?? '{}',
	}));
	const results = calls.map((call, index): ChatMessage => {
		const fault = faults.find(
			(one) => one.call.name === call.name && one.call.arguments === call.arguments,
		);
		const content =
			fault?.sentence ?? 'Not run, because another call of the same answer was faulty.';
		return { role: 'tool', toolCallId: idOf(index), name: call.name, content };
	});
	return [{ role: 'assistant', content: text, toolCalls }, ...results];
}

/** The correction of an answer that breaks the schema of the response format. */
export function correctionOfFormat(text: string, problem: string): ChatMessage[] {
	return [
		{ role: 'assistant', content: text },
		{
			role: 'user',
			content: `The answer does not fit the JSON schema: ${problem}. Answer again with JSON that fits it, and nothing else.`,
		},
	];
}
