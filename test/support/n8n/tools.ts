/** Tools as an agent binds them. */
import type { ToolDefinition } from '../../../lib/chat/tool-definition';
import { runAtOnce } from '../../../lib/http/steps';
import { readTools } from '../../../lib/langchain/tool-definitions';
import type { ToolList } from '../../../lib/langchain/tool-definitions';

/** The converter of n8n's SDK, or one in its place. */
export type ToJsonSchema = Parameters<typeof readTools>[1];

/** A converter that knows no zod. */
export const asItIs: ToJsonSchema = (({ inputSchema }: { inputSchema: unknown }) =>
	inputSchema) as unknown as ToJsonSchema;

/** The definition of a tool that is small enough. */
export function readTool(tool: unknown, toJsonSchema: ToJsonSchema = asItIs): ToolDefinition {
	const { tools, unusableTools }: ToolList = runAtOnce<ToolList>(readTools([tool], toJsonSchema));
	const [definition] = tools;
	if (definition === undefined) throw new Error(JSON.stringify(unusableTools));
	return definition;
}
