import { parseObject } from '../../json';
import { asList, recordOf } from '../../values';
import { offeredName } from '../text-formats/offered-name';
import type { AssembledCall } from './tool-call-assembly';
import type { ToolDefinition } from '../types';

/**
 * The tool of a server's call: servers leave tokens of the model in names (`NAME<|channel|>commentary`,
 * vllm-project/vllm issue 32587), and models change the case. Undefined if no tool, or more than one, fits.
 */
function matchingTool(
	written: string,
	tools: readonly ToolDefinition[],
): ToolDefinition | undefined {
	const names = tools.map(({ name }) => name);
	const clean = written.split('<|')[0]!.trim();
	// Gemini sometimes invents a namespace (google-gemini/cookbook issue 1374).
	const inner = clean.slice(Math.max(clean.lastIndexOf('.'), clean.lastIndexOf(':')) + 1);
	const exact =
		offeredName(written, names) ?? offeredName(clean, names) ?? offeredName(inner, names);
	if (exact !== undefined) return tools.find(({ name }) => name === exact);
	const plain = clean.replace(/^functions\./i, '').toLowerCase();
	const alike = tools.filter(({ name }) => name.toLowerCase() === plain);
	return alike.length === 1 ? alike[0] : undefined;
}

/**
 * Replaces names in a server's calls by those of the offered tools. @returns also unknown names, and notes for the user
 */
export function matchOfferedTools(
	calls: readonly AssembledCall[],
	tools: readonly ToolDefinition[],
): { calls: AssembledCall[]; unknown: string[]; notes: string[] } {
	if (tools.length === 0) return { calls: [...calls], unknown: [], notes: [] };
	const known: AssembledCall[] = [];
	const unknown: string[] = [];
	const notes: string[] = [];
	for (const call of calls) {
		const tool = matchingTool(call.name, tools);
		if (tool === undefined) {
			unknown.push(call.name);
			continue;
		}
		known.push({ ...call, name: tool.name });
		const missing = missingArguments(call, tool);
		if (missing.length > 0)
			notes.push(
				`The model called the tool "${tool.name}" without arguments that it requires: ${missing.join(', ')}. Some servers lose the arguments of a call: see whether an update or another tool call parser helps.`,
			);
	}
	if (unknown.length > 0)
		notes.push(
			`The model also called tools that are not connected, which were left out: ${unknown.join(', ')}.`,
		);
	return { calls: known, unknown, notes };
}

function missingArguments(call: AssembledCall, { parameters }: ToolDefinition): string[] {
	const args = parseObject(call.arguments) ?? {};
	const required = asList(recordOf(parameters).required);
	return required
		.filter((key) => typeof key === 'string')
		.filter((key) => !Object.hasOwn(args, key));
}
