/** What is asked, as the kind of server takes it. */
import { createServerError, createInputError } from '../errors/create-error';
import type { ServerProps, ModelServer, ServerType } from '../servers/types/server-type';
import { isNonEmpty, type JsonRecord, omitUndefined } from '../values';
import type { CompletionRequest } from './openai-body';
import type { RawToolCall } from './tool-calls';
import { getMedia, breakControlTokens } from './content';
import { hintOnContext } from './ollama-body';
import { getIgnoredParameters, isJsonRequested } from './parameters';
import { toGrammarSchema, type ToolNames, withWireNames } from './grammar-schema';
import type {
	ChatRequest,
	ChatMessage,
	ChatParameters,
	ChatSettings,
	ToolDefinition,
} from './types';
import type { QueueStats } from '../http/types';
import { toErrorContext } from '../http/request-errors';
import type { DisplayedText } from './reasoning';

/** What stays the same through all tries of a turn. */
export interface TurnContext {
	server: ModelServer;
	serverType: ServerType;
	settings: ChatSettings;
	chatRequest: ChatRequest;
	/** How it came through the queue. */
	queueStats: QueueStats;
	toolNames: ToolNames;
	/** Whether a call in a text is a quotation of the conversation. What corrections quote is none. */
	isQuoted: (call: RawToolCall) => boolean;
	display: DisplayedText;
	/** By `performance.now()`. */
	startedAt: number;
}

/**
 * The body of the first try. With tools, a response format waits for a final answer that breaks it: llama-server could
 * begin no call under its grammar.
 *
 * @returns also notes on what was left out
 * @throws {ServerError} of kind `invalidInput` if the tool to be called is not offered
 */
export function buildCompletionRequest(
	{ server, settings, chatRequest, serverType, toolNames }: TurnContext,
	messages: readonly ChatMessage[],
): { body: CompletionRequest; notes: string[] } {
	const { model, parameters } = settings;
	const { toolChoice } = chatRequest;
	const notes = [
		...getIgnoredOptionWarnings(parameters, serverType),
		...hintOnContext(serverType, server, { model, parameters }),
	];
	const tools = (chatRequest.tools ?? []).map((tool) =>
		toWireTool(tool, toolNames.toWire(tool.name), serverType, notes),
	);
	if (
		typeof toolChoice === 'object' &&
		!chatRequest.tools?.some(({ name }) => name === toolChoice.name)
	)
		throw unknownTool(toolChoice.name);
	const waits = tools.length > 0 && isJsonRequested(parameters);
	const formatted = waits ? { ...parameters, responseFormat: undefined } : parameters;
	const choice =
		typeof toolChoice === 'object' ? { name: toolNames.toWire(toolChoice.name) } : toolChoice;
	return {
		body: {
			model,
			messages: withWireNames(messages, toolNames),
			tools,
			...omitUndefined({ toolChoice: tools.length === 0 ? undefined : choice }),
			parameters: cleanResponseFormat(formatted, serverType, notes),
		},
		notes,
	};
}

function toWireTool(
	{ name, shortName, description, parameters }: ToolDefinition,
	sentName: string,
	kind: ServerType,
	notes: string[],
): ToolDefinition {
	const schema =
		kind.compilesSchemas === 'formatsAndTools'
			? cleaned(parameters, `the schema of the tool "${name}"`, notes)
			: parameters;
	const typed = isNonEmpty(schema.type) ? schema : { type: 'object', ...schema };
	const tool = {
		name: sentName,
		...omitUndefined({ shortName, description }),
		parameters: typed,
	};
	// They come from other servers where tools do (MCP).
	return JSON.parse(breakControlTokens(JSON.stringify(tool))) as ToolDefinition;
}

/** The format of a second try, too. */
export function cleanResponseFormat(
	parameters: ChatParameters,
	kind: ServerType,
	notes: string[] = [],
): ChatParameters {
	const { responseFormat } = parameters;
	if (responseFormat?.type !== 'jsonSchema' || !kind.compilesSchemas) return parameters;
	const schema = cleaned(responseFormat.schema, 'the JSON schema', notes);
	return { ...parameters, responseFormat: { ...responseFormat, schema } };
}

function cleaned(schema: JsonRecord, where: string, notes: string[]): JsonRecord {
	const result = toGrammarSchema(schema);
	if (result.removedPaths.length > 0)
		notes.push(
			`The server does not support parts of ${where}, so they were removed: ${result.removedPaths.join(', ')}`,
		);
	return result.schema;
}

function getIgnoredOptionWarnings(parameters: ChatParameters, kind: ServerType): string[] {
	const ignored = getIgnoredParameters(parameters, kind);
	if (ignored.length === 0) return [];
	return [
		`This server (${kind.label}) does not support these options, so they were not sent: ${ignored.join(', ')}`,
	];
}

function unknownTool(name: string) {
	return createInputError(
		`Tool choice names the tool "${name}", which is not connected to the model`,
		'Connect the tool, or let the model choose the tool.',
	);
}

/**
 * Refuses tools that the chat template would leave out, and pictures for a model that would invent what it sees.
 *
 * @throws {ServerError} of kind `toolsUnsupported` or `modalityUnsupported`
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
	const hasPicture = messages.some(({ content }) =>
		getMedia(content).some(({ type }) => type === 'image'),
	);
	if (!hasPicture || (await serverType.fetchModel?.(server, model, signal))?.vision !== false)
		return;
	throw createServerError('modalityUnsupported', context, {
		message: `The model "${model}" does not support images`,
		suggestion: serverType.texts.suggestions?.modalityUnsupported,
	});
}
