/** Tools as OpenAI's and Ollama's APIs take them. */
import type { JsonRecord } from '../../values/records';
import type { ToolChoice, ToolDefinition } from '../tool-definition';

/** The forced tool, otherwise all tools. */
export function selectCallableTools(
	tools: readonly ToolDefinition[],
	choice: ToolChoice | undefined,
): readonly ToolDefinition[] {
	return typeof choice === 'object' ? tools.filter(({ name }) => name === choice.name) : tools;
}

/** A tool as OpenAI's and Ollama's APIs take it. */
export interface WireTool {
	type: 'function';
	function: {
		name: string;
		description: string | undefined;
		/** JSON schema of the arguments. */
		parameters: JsonRecord;
	};
}

/** The field `tools` of a request. */
export interface ToolsField {
	tools: WireTool[];
}

/** The request field for tools. */
export function toToolsField(tools: readonly ToolDefinition[]): ToolsField {
	return { tools: tools.map(toWireTool) };
}

function toWireTool({ name, description, schema }: ToolDefinition): WireTool {
	return { type: 'function', function: { name, description, parameters: schema } };
}
