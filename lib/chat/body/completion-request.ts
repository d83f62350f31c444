/** Builds completion requests for a server type. */
import { createInputError } from '../../errors/create-error';
import type { ServerProps, ServerType } from '../../servers/types/server-type';
import type { JsonRecord } from '../../values/records';
import { isNonEmpty } from '../../values/records';
import { getContextWarnings } from './context-warnings';
import { getIgnoredOptionWarnings } from './ignored-options';
import { isJsonRequested } from '../settings';
import { withWireNames } from '../tools/tool-names';
import type { TurnContext } from '../turn-context';
import type { CompletionRequest } from '../completion';
import type { ChatMessage } from '../chat-message';
import type { SamplingSettings } from '../settings';
import { toGrammarSchema } from './grammar-schema';

/** What is known of the chat template of the model. */
export type TemplateFacts = Pick<ServerProps, 'thinkingKeys' | 'templateTokens'>;

/** The request of the first attempt. */
export interface FirstDraft {
	draft: CompletionRequest;
	/** Sentences for the user about what was omitted, and about the context size. */
	warnings: string[];
}

/**
 * Builds the request of the first attempt. With tools, the response format is sent only after a final response that violates it,
 * because llama-server cannot start a tool call under its grammar.
 *
 * @throws {ServerError} of type `invalidInput` if the forced tool is not offered
 */
export function buildCompletionRequest(
	{ server, settings, chatRequest, serverType, toolNames }: TurnContext,
	messages: readonly ChatMessage[],
	{ thinkingKeys, templateTokens }: TemplateFacts = {},
): FirstDraft {
	const { model, sampling } = settings;
	const { tools = [], toolChoice } = chatRequest;
	const warnings = [
		...getIgnoredOptionWarnings(sampling, serverType),
		...getContextWarnings(serverType, server, settings),
	];
	const wireTools = tools.map((tool) => {
		const { name, schema: source } = tool;
		const schema =
			serverType.compilesSchemas === 'formatsAndTools'
				? cleanSchema(source, `the schema of the tool "${name}"`, warnings)
				: source;
		const args = isNonEmpty(schema.type) ? schema : { type: 'object', ...schema };
		return { ...tool, name: toolNames.toWire(name), schema: args };
	});
	const isNamed = typeof toolChoice === 'object';
	if (isNamed && !tools.some(({ name }) => name === toolChoice.name))
		throw createInputError(
			`Tool choice names the tool "${toolChoice.name}", which is not connected to the model`,
			'Connect the tool, or let the model choose the tool.',
		);
	const wireChoice = isNamed ? { name: toolNames.toWire(toolChoice.name) } : toolChoice;
	const isFormatDeferred = tools.length > 0 && isJsonRequested(sampling);
	return {
		draft: {
			model,
			messages: withWireNames(messages, toolNames),
			templateTokens,
			tools: wireTools,
			toolChoice: tools.length === 0 ? undefined : wireChoice,
			thinkingKeys,
			sampling: isFormatDeferred
				? { ...sampling, responseFormat: undefined }
				: cleanResponseFormat(sampling, serverType, warnings),
		},
		warnings,
	};
}

/**
 * Removes the parts of the response format's schema that the server does not support.
 *
 * @param warnings receives a sentence about them
 */
export function cleanResponseFormat(
	sampling: SamplingSettings,
	serverType: ServerType,
	warnings: string[] = [],
): SamplingSettings {
	const { responseFormat } = sampling;
	if (responseFormat?.type !== 'jsonSchema' || !serverType.compilesSchemas) return sampling;
	const schema = cleanSchema(responseFormat.schema, 'the JSON schema', warnings);
	return { ...sampling, responseFormat: { ...responseFormat, schema } };
}

/**
 * Removes the parts of a schema that the server does not support.
 *
 * @param schemaLabel what the schema is called in a sentence, for example "the JSON schema"
 * @param warnings receives a sentence about them
 */
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
