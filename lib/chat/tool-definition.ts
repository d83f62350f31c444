/** The tools that a model may call. */
import type { SchemaLimit } from './body/schema-size';
import type { Origin } from '../origin';
import type { JsonRecord } from '../values/records';

/** A tool that the model may call. */
export interface ToolDefinition {
	name: string;
	/** The name without the prefix of the tool's MCP client. */
	shortName?: string;
	description?: string;
	/** JSON schema of the arguments. */
	schema: JsonRecord;
	/** Who wrote its texts. */
	origin: Origin;
}

/** Why a tool is too large: its schema, its name and description, or all tools together. */
export type ToolLimit = SchemaLimit | 'description' | 'together';

/** A connected tool that is not offered, because its definition is too large. */
export interface OversizedTool {
	name: string;
	/** The limit that it exceeds. */
	limit: ToolLimit;
}

/** Whether tools are called: the model decides, never, always, or always this one. */
export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };
