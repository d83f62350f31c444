/** What is said about tools that are too large to be offered. */
import { createInputError } from '../../errors/create-error';
import { MAX_TEXT_BYTES } from '../../task-limits';
import { truncate } from '../../values/text';
import { formatBytes } from '../../values/size';
import { describeSchemaLimit } from '../body/schema-size';
import type { ChatRequest } from '../chat-request';
import type { OversizedTool, ToolLimit } from '../tool-definition';
import { FORMAT_TOOL_NAME } from '../tools/format-tool';

/** Tools that a hint names. */
const MAX_NAMED = 5;

/** Characters of each name. */
const MAX_NAME = 80;

/** @returns a hint that names them; undefined if there are none */
export function describeOversizedTools(oversized: readonly OversizedTool[]): string | undefined {
	if (oversized.length === 0) return undefined;
	const named = oversized
		.slice(0, MAX_NAMED)
		.map(({ name, limit }) => `"${truncate(name, MAX_NAME)}" (${describeLimit(limit)})`);
	const others = oversized.length - named.length;
	const rest = others > 0 ? [`and ${others.toLocaleString('en')} more`] : [];
	return `Tools that are too large were not offered to the model: ${[...named, ...rest].join(', ')}.`;
}

function describeLimit(limit: ToolLimit): string {
	switch (limit) {
		case 'description':
			return `its description has more than ${formatBytes(MAX_TEXT_BYTES)}`;
		case 'together':
			return 'all tools together are too large';
		default:
			return `its schema ${describeSchemaLimit(limit)}`;
	}
}

/**
 * Rejects a request that cannot be fulfilled without a tool that is too large: the tool that must be called, or that of an
 * output parser, without which a response has no format.
 *
 * @throws {ServerError} of type `invalidInput`
 */
export function assertNeededTools({
	tools = [],
	oversizedTools = [],
	toolChoice,
}: ChatRequest): void {
	const needed = typeof toolChoice === 'object' ? toolChoice.name : FORMAT_TOOL_NAME;
	const isAnyNeeded = toolChoice === 'required' && tools.length === 0;
	const missing = oversizedTools.find(({ name }) => isAnyNeeded || name === needed);
	if (missing === undefined) return;
	const limit = describeLimit(missing.limit);
	throw createInputError(
		missing.name === FORMAT_TOOL_NAME
			? `The output parser is too large: ${limit}`
			: `The tool "${truncate(missing.name, MAX_NAME)}" must be called, but is too large: ${limit}`,
		'Describe fewer fields: split the task into several steps, each with its own schema.',
	);
}
