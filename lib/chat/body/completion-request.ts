/** Builds completion requests for a server type. */
import { createInputError } from '../../errors/create-error';
import type { ServerType } from '../../servers/types/server-type';
import type { JsonRecord } from '../../values/records';
import { isNonEmpty } from '../../values/records';
import { breakControlTokensDeep } from '../../text/control-tokens';
import { getContextWarnings } from './ollama-body';
import { getIgnoredWarnings, isJsonRequested } from './openai-body';
import { withWireNames } from '../tools/tool-names';
import type {
	ChatMessage,
	ChatParameters,
	ToolDefinition,
	CompletionRequest,
	TurnContext,
} from '../types';
import { toGrammarSchema } from './grammar-schema';

/**
 * The request of the first attempt. With tools, the response format is sent only after a final response that violates it,
 * because llama-server cannot start a tool call under its grammar.
 *
 * Returns also warnings about omitted parts.
 * Throws a `ServerError` of type `invalidInput` if the forced tool is not offered.
 */
export function buildCompletionRequest(
	{ server, settings, chatRequest, serverType, toolNames }: TurnContext,
	messages: readonly ChatMessage[],
): { draft: CompletionRequest; warnings: string[] } {
	const { model, parameters } = settings;
	const { tools = [], toolChoice } = chatRequest;
	const warnings = [
		...getIgnoredWarnings(parameters, serverType),
		...getContextWarnings(serverType, server, settings),
	];
	const wireTools = tools.map((tool) => {
		const { name, parameters: source } = tool;
		const schema =
			serverType.compilesSchemas === 'formatsAndTools'
				? cleanSchema(source, `the schema of the tool "${name}"`, warnings)
				: source;
		const args = isNonEmpty(schema.type) ? schema : { type: 'object', ...schema };
		const wireTool = { ...tool, name: toolNames.toWire(name), parameters: args };
		// Tools may come from other servers (MCP).
		return breakControlTokensDeep(wireTool) as ToolDefinition;
	});
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
			toolChoice: tools.length === 0 ? undefined : wireChoice,
			parameters: isFormatDeferred
				? { ...parameters, responseFormat: undefined }
				: cleanResponseFormat(parameters, serverType, warnings),
		},
		warnings,
	};
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

export function cleanSchema(
	schema: JsonRecord,
	schemaLabel: string,
	warnings: string[],
): JsonRecord {
	const result = toGrammarSchema(schema);
	if (result.removedPaths.length > 0)
		warnings.push(
			`The server does not support parts of ${schemaLabel}, so they were removed: ${result.removedPaths.join(', ')}`,
		);
	return result.schema;
}
