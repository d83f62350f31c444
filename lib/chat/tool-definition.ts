/** The tools that a model may call. */
import type { SchemaProblem } from './body/schema-size';
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

/** Why a tool cannot be offered: its schema, its name and description are too long, or all tools together are too large. */
export type ToolProblem = SchemaProblem | 'description' | 'together';

/** A connected tool that is not offered, because its definition is too large or cannot be read. */
export interface UnusableTool {
	name: string;
	problem: ToolProblem;
}

/** Whether tools are called: the model decides, never, always, or always this one. */
export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };
