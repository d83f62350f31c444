import { requireDepth } from '../chat/schema-depth';
import { invalidInput } from '../errors/failure';
import { isFilled, isRecord, type JsonRecord, nonEmptyText, optional, recordOf } from '../values';
import { jsonSchemaOf } from './tool-schema';
import type { ToolChoice, ToolDefinition } from '../chat/types';
import type { AiNodeSdk } from './sdk';

type ToJsonSchema = AiNodeSdk['getParametersJsonSchema'];

/**
 * Converts a tool of LangChain or n8n to a definition for the server. `toJsonSchema` is the host's converter, which
 * knows the host's zod.
 *
 * @throws {ServerError} of kind `invalidInput` for something that is not a function tool
 */
export function toolDefinition(tool: unknown, toJsonSchema: ToJsonSchema): ToolDefinition {
	if (!isRecord(tool)) throw notATool();
	const openAiTool = tool.type === 'function' ? recordOf(tool.function) : {};
	if (typeof openAiTool.name === 'string') {
		const { name, description, parameters } = openAiTool as { name: string } & JsonRecord;
		return definition(name, description, jsonSchemaOf(parameters, name));
	}
	if (typeof tool.name !== 'string') throw notATool();
	const schema = tool.schema ?? tool.inputSchema ?? tool.parameters;
	if (schema === undefined && isProviderTool(tool)) throw notATool();
	// The host knows its own zod best; a schema of another copy it returns unchanged.
	const sdkTool = { type: 'function', name: tool.name, inputSchema: schema };
	const json: unknown = toJsonSchema(sdkTool as Parameters<ToJsonSchema>[0]);
	const parameters = json === schema ? jsonSchemaOf(schema, tool.name) : json;
	return definition(tool.name, tool.description, parameters);
}

/** `{"type": "web_search", "name": …}` and the like name a tool that the provider runs itself. */
function isProviderTool({ type }: JsonRecord): boolean {
	return typeof type === 'string' && type !== 'function';
}

function definition(name: string, description: unknown, parameters: unknown): ToolDefinition {
	// `$schema` only costs tokens. A tool without a schema takes no arguments, which templates and grammars need
	// explicitly.
	requireDepth(parameters, `The schema of the tool "${name}"`);
	const schema = { ...recordOf(parameters) };
	delete schema.$schema;
	return {
		name,
		...optional({ description: nonEmptyText(description) }),
		parameters: isFilled(schema) ? schema : { type: 'object', properties: {} },
	};
}

function notATool() {
	return invalidInput(
		'Something was bound to the model that is not a tool',
		'Local servers know function tools only, no tools that a cloud provider runs itself.',
	);
}

/** Converts LangChain's forms: `any` for "some tool", a tool's name, or OpenAI's object. */
export function toolChoiceOf(choice: unknown): ToolChoice | undefined {
	if (choice === 'any' || choice === true) return 'required';
	if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
	const { function: openAiFunction, name: ownName } = recordOf(choice);
	const openAiName = isRecord(openAiFunction) ? openAiFunction.name : ownName;
	const name = typeof choice === 'string' ? choice : openAiName;
	return typeof name === 'string' ? { name } : undefined;
}
