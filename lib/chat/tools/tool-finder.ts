/** Finds the tool that a call names. */
import { toValidName } from './tool-names';
import type { ToolDefinition } from '../tool-definition';

/**
 * Finds a tool by its exact name, or by its name without the prefix of its MCP client if only one tool has it. The model
 * sees the wire name and may know the original one.
 */
export function createToolFinder(
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

/** The full name of a tool by each of the names by which a call can name it. */
export function getFullNames(tools: readonly ToolDefinition[]): Map<string, string> {
	const findTool = createToolFinder(tools);
	const names = tools.flatMap((tool) => [tool.name, ...getShortNames(tool)]);
	return new Map(
		names
			.map((name) => [name, findTool(name)?.name ?? ''] as const)
			.filter(([, tool]) => tool !== ''),
	);
}
