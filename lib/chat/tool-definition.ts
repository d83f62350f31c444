/** The tools that a model may call. */
import type { JsonRecord } from '../values/records';

/** A tool that the model may call. */
export interface ToolDefinition {
	name: string;
	/** The name without the prefix of the tool's MCP client. */
	shortName?: string;
	description?: string;
	/** JSON schema of the arguments. */
	schema: JsonRecord;
}

/** Whether tools are called: the model decides, never, always, or always this one. */
export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };
