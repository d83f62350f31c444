/** What is said about tools that cannot be offered. */
import { createInputError } from '../../errors/create-error';
import { MAX_TEXT_BYTES } from '../../task-limits';
import { truncate } from '../../values/text';
import { formatBytes } from '../../values/size';
import { describeSchemaProblem, suggestOtherSchema } from '../body/schema-size';
import type { ChatRequest } from '../chat-request';
import type { ToolProblem, UnusableTool } from '../tool-definition';
import { FORMAT_TOOL_NAME } from '../tools/format-tool';

/** Tools that a hint names. */
const MAX_NAMED = 5;

/** Characters of each name. */
const MAX_NAME = 80;

/** @returns a hint that names them; undefined if there are none */
export function describeUnusableTools(unusable: readonly UnusableTool[]): string | undefined {
	if (unusable.length === 0) return undefined;
	const named = unusable
		.slice(0, MAX_NAMED)
		.map(({ name, problem }) => `"${truncate(name, MAX_NAME)}" (${describeProblem(problem)})`);
	const others = unusable.length - named.length;
	const rest = others > 0 ? [`and ${others.toLocaleString('en')} more`] : [];
	return `Some tools were not offered to the model: ${[...named, ...rest].join(', ')}.`;
}

function describeProblem(problem: ToolProblem): string {
	switch (problem) {
		case 'description':
			return `its description has more than ${formatBytes(MAX_TEXT_BYTES)}`;
		case 'together':
			return 'all tools together are too large';
		default:
			return `its schema ${describeSchemaProblem(problem)}`;
	}
}

/**
 * Rejects a request that cannot be fulfilled without a tool that cannot be offered: the tool that must be called, or that of an
 * output parser, without which a response has no format.
 *
 * @throws {ServerError} of type `invalidInput`
 */
export function assertNeededTools({
	tools = [],
	unusableTools = [],
	toolChoice,
}: ChatRequest): void {
	const needed = typeof toolChoice === 'object' ? toolChoice.name : FORMAT_TOOL_NAME;
	const isAnyNeeded = toolChoice === 'required' && tools.length === 0;
	const missing = unusableTools.find(({ name }) => isAnyNeeded || name === needed);
	if (missing === undefined) return;
	const problem = describeProblem(missing.problem);
	throw createInputError(
		missing.name === FORMAT_TOOL_NAME
			? `The output parser cannot be used: ${problem}`
			: `The tool "${truncate(missing.name, MAX_NAME)}" must be called, but cannot be offered: ${problem}`,
		suggestFor(missing.problem),
	);
}

function suggestFor(problem: ToolProblem): string {
	switch (problem) {
		case 'description':
			return 'Shorten its name and description.';
		case 'together':
			return 'Connect fewer tools, or tools with fewer fields.';
		default:
			return suggestOtherSchema(problem);
	}
}
