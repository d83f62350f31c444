/** Builds completion requests for a server type. */
import { createServerError, createInputError } from '../errors/create-error';
import type { ServerProps, ServerType } from '../servers/types/server-type';
import { isNonEmpty, type JsonRecord, omitUndefined } from '../values';
import { getMedia } from './content';
import { breakControlTokens } from '../text/control-tokens';
import { getContextWarnings } from './ollama-body';
import { getIgnoredParameters, isJsonRequested } from './parameters';
import { toGrammarSchema } from './grammar-schema';
import { withWireNames } from './tool-calls';
import type { ChatMessage, ChatParameters, ToolDefinition, CompletionRequest } from './types';
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
	const { tools = [], toolChoice } = chatRequest;
	const warnings = getContextWarnings(serverType, server, settings);
	const ignored = getIgnoredParameters(parameters, serverType);
	if (ignored.length > 0)
		warnings.unshift(
			`This server (${serverType.label}) does not support these options, so they were not sent: ${ignored.join(', ')}`,
		);
	const wireTools = tools.map((tool) =>
		toWireTool({ ...tool, name: toolNames.toWire(tool.name) }, tool.name, serverType, warnings),
	);
	const isNamed = typeof toolChoice === 'object';
	if (isNamed && !tools.some(({ name }) => name === toolChoice.name))
		throw createInputError(
			`Tool choice names the tool "${toolChoice.name}", which is not connected to the model`,
			'Connect the tool, or let the model choose the tool.',
		);
	const wireChoice = isNamed ? { name: toolNames.toWire(toolChoice.name) } : toolChoice;
	const isFormatDeferred = tools.length > 0 && isJsonRequested(parameters);
	return {
		draft: {
			model,
			messages: withWireNames(messages, toolNames),
			tools: wireTools,
			...omitUndefined({ toolChoice: tools.length === 0 ? undefined : wireChoice }),
			parameters: isFormatDeferred
				? { ...parameters, responseFormat: undefined }
				: cleanResponseFormat(parameters, serverType, warnings),
		},
		warnings,
	};
}

/** @param toolName the name for warnings */
function toWireTool(
	tool: ToolDefinition,
	toolName: string,
	serverType: ServerType,
	warnings: string[],
): ToolDefinition {
	const schema =
		serverType.compilesSchemas === 'formatsAndTools'
			? cleanSchema(tool.parameters, `the schema of the tool "${toolName}"`, warnings)
			: tool.parameters;
	const parameters = isNonEmpty(schema.type) ? schema : { type: 'object', ...schema };
	// Tools may come from other servers (MCP).
	return JSON.parse(breakControlTokens(JSON.stringify({ ...tool, parameters }))) as ToolDefinition;
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
	const context = toErrorContext(server, server.getApiUrl(), model);
	if (tools.length > 0 && props?.tools === false)
		throw createServerError('toolsUnsupported', context, {
			title: `The chat template of this model does not support tools, so ${serverType.label} would ignore them`,
			suggestion: serverType.texts.tools,
		});
	const hasImage = messages.some(({ content }) =>
		getMedia(content).some(({ type }) => type === 'image'),
	);
	if (!hasImage || (await serverType.fetchModel?.(server, model, signal))?.vision !== false) return;
	throw createServerError('modalityUnsupported', context, {
		title: `The model "${model}" does not support images`,
		suggestion: serverType.texts.suggestions?.modalityUnsupported,
	});
}
