/** Builds completion requests for a server type. */
import { createServerError, createInputError } from '../errors/create-error';
import type { ServerProps, ServerType } from '../servers/types/server-type';
import { isNonEmpty, type JsonRecord, omitUndefined } from '../values';
import type { CompletionRequest } from './openai-body';
import { getMedia, breakControlTokens } from './content';
import { getContextWarnings } from './ollama-body';
import { getIgnoredParameters, isJsonRequested } from './parameters';
import { toGrammarSchema } from './grammar-schema';
import { withWireNames } from './tool-names';
import type { ChatMessage, ChatParameters, ToolDefinition } from './types';
import { toErrorContext } from '../http/request-errors';
import { TurnContext } from './turn-context';

/**
 * The request of the first attempt. With tools, the response format is sent only after a final response that violates it,
 * because llama-server cannot start a tool call under its grammar.
 *
 * @returns also warnings about omitted parts
 * @throws {ServerError} of type `invalidInput` if the forced tool is not offered
 */
export function buildCompletionRequest(
	{ server, settings, chatRequest, serverType, toolNames }: TurnContext,
	messages: readonly ChatMessage[],
): { draft: CompletionRequest; warnings: string[] } {
	const { model, parameters } = settings;
	const { toolChoice } = chatRequest;
	const warnings = [
		...getIgnoredOptionWarnings(parameters, serverType),
		...getContextWarnings(serverType, server, { model, parameters }),
	];
	const tools = (chatRequest.tools ?? []).map((tool) =>
		toWireTool(tool, toolNames.toWire(tool.name), serverType, warnings),
	);
	if (
		typeof toolChoice === 'object' &&
		!chatRequest.tools?.some(({ name }) => name === toolChoice.name)
	)
		throw createUnknownToolError(toolChoice.name);
	const isFormatDeferred = tools.length > 0 && isJsonRequested(parameters);
	const initialParameters = isFormatDeferred
		? { ...parameters, responseFormat: undefined }
		: parameters;
	const choice =
		typeof toolChoice === 'object' ? { name: toolNames.toWire(toolChoice.name) } : toolChoice;
	return {
		draft: {
			model,
			messages: withWireNames(messages, toolNames),
			tools,
			...omitUndefined({ toolChoice: tools.length === 0 ? undefined : choice }),
			parameters: cleanResponseFormat(initialParameters, serverType, warnings),
		},
		warnings,
	};
}

function toWireTool(
	{ name, shortName, description, parameters }: ToolDefinition,
	wireName: string,
	serverType: ServerType,
	warnings: string[],
): ToolDefinition {
	const schema =
		serverType.compilesSchemas === 'formatsAndTools'
			? cleanSchema(parameters, `the schema of the tool "${name}"`, warnings)
			: parameters;
	const objectSchema = isNonEmpty(schema.type) ? schema : { type: 'object', ...schema };
	const tool = {
		name: wireName,
		...omitUndefined({ shortName, description }),
		parameters: objectSchema,
	};
	// Tools may come from other servers (MCP).
	return JSON.parse(breakControlTokens(JSON.stringify(tool))) as ToolDefinition;
}

export function cleanResponseFormat(
	parameters: ChatParameters,
	serverType: ServerType,
	warnings: string[] = [],
): ChatParameters {
	const { responseFormat } = parameters;
	if (responseFormat?.type !== 'jsonSchema' || !serverType.compilesSchemas) return parameters;
	const schema = cleanSchema(responseFormat.schema, 'the JSON schema', warnings);
	return { ...parameters, responseFormat: { ...responseFormat, schema } };
}

function cleanSchema(schema: JsonRecord, schemaLabel: string, warnings: string[]): JsonRecord {
	const result = toGrammarSchema(schema);
	if (result.removedPaths.length > 0)
		warnings.push(
			`The server does not support parts of ${schemaLabel}, so they were removed: ${result.removedPaths.join(', ')}`,
		);
	return result.schema;
}

function getIgnoredOptionWarnings(parameters: ChatParameters, serverType: ServerType): string[] {
	const ignored = getIgnoredParameters(parameters, serverType);
	if (ignored.length === 0) return [];
	return [
		`This server (${serverType.label}) does not support these options, so they were not sent: ${ignored.join(', ')}`,
	];
}

function createUnknownToolError(name: string) {
	return createInputError(
		`Tool choice names the tool "${name}", which is not connected to the model`,
		'Connect the tool, or let the model choose the tool.',
	);
}

/**
 * Rejects tools that the chat template would ignore, and images for a model that would invent their content.
 *
 * @throws {ServerError} of type `toolsUnsupported` or `modalityUnsupported`
 */
export async function assertCapabilities(
	{
		server,
		serverType,
		settings: { model },
		chatRequest,
	}: Pick<TurnContext, 'server' | 'serverType' | 'settings' | 'chatRequest'>,
	messages: readonly ChatMessage[],
	props: ServerProps | undefined,
): Promise<void> {
	const { tools = [], signal } = chatRequest;
	const context = toErrorContext(server, server.url.api, model);
	if (tools.length > 0 && props?.supportsTools === false)
		throw createServerError('toolsUnsupported', context, {
			message: `The chat template of this model does not support tools, so ${serverType.label} would ignore them`,
			suggestion: serverType.texts.tools,
		});
	const hasImage = messages.some(({ content }) =>
		getMedia(content).some(({ type }) => type === 'image'),
	);
	if (!hasImage || (await serverType.fetchModel?.(server, model, signal))?.vision !== false) return;
	throw createServerError('modalityUnsupported', context, {
		message: `The model "${model}" does not support images`,
		suggestion: serverType.texts.suggestions?.modalityUnsupported,
	});
}
