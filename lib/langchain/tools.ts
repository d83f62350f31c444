import { invalidInput } from '../errors/failure';
import { isRecord } from '../values';
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
	if (
		tool.type === 'function' &&
		isRecord(tool.function) &&
		typeof tool.function.name === 'string'
	) {
		const { name, description, parameters } = tool.function;
		return definition(name, description, jsonSchemaOf(parameters, name));
	}
	if (typeof tool.name !== 'string') throw notATool();
	const schema = tool.schema ?? tool.inputSchema ?? tool.parameters;
	// `{"type": "web_search", "name": …}` and the like name a tool that the provider runs itself.
	if (schema === undefined && typeof tool.type === 'string' && tool.type !== 'function')
		throw notATool();
	// The host knows its own zod best; a schema of another copy it returns unchanged.
	const json: unknown = toJsonSchema({
		type: 'function',
		name: tool.name,
		inputSchema: schema,
	} as Parameters<ToJsonSchema>[0]);
	return definition(
		tool.name,
		tool.description,
		json === schema ? jsonSchemaOf(schema, tool.name) : json,
	);
}

function definition(name: string, description: unknown, parameters: unknown): ToolDefinition {
	const schema = isRecord(parameters) ? parameters : {};
	// `$schema` only costs tokens. A tool without a schema takes no arguments, which templates and grammars need
	// explicitly.
	const rest = Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema'));
	return {
		name,
		...(typeof description === 'string' && description !== '' ? { description } : {}),
		parameters: Object.keys(rest).length === 0 ? { type: 'object', properties: {} } : rest,
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
	if (choice === undefined || choice === null) return undefined;
	if (choice === 'any' || choice === true) return 'required';
	if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
	if (typeof choice === 'string') return { name: choice };
	if (isRecord(choice)) {
		const name = isRecord(choice.function) ? choice.function.name : choice.name;
		if (typeof name === 'string') return { name };
	}
	return undefined;
}
