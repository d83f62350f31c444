import { invalidInput } from '../../errors/failure';
import type { ServerError } from '../../errors/server-error';
import type { ClientSettings } from '../../servers/retry';
import type { ReasoningEcho } from './messages';
import type { TraceSettings } from '../../tracing/attributes';
import { type KindName, kindOf } from '../../servers/kinds';
import { mediaOf, textOf } from './content';
import { dependsOnServerKind, ignoredParameters } from './parameters';
import { cleanSchema } from '../schema';
import { removedOptions, needsNativeApi } from './ollama-options';
import type {
	ChatMessage,
	ChatParameters,
	ChatRequest,
	SourceMessage,
	ToolChoice,
	ToolDefinition,
	WireChunk,
} from '../types';
import { append, type JsonRecord, optional } from '../../values';

export interface ChatSettings extends ClientSettings {
	parameters: ChatParameters;
	reasoningEcho: ReasoningEcho;
	/** Show thinking in the answer, between `<think>` tags. */
	showThinking: boolean;
	/** Whether calls that the model wrote into its text become calls (`read`, the default), or stay text. */
	toolCallsInText?: 'read' | 'leave';
	/** Maximum tokens of the earlier turns; older ones are left out. Default: no limit. */
	historyBudget?: number;
	/** Trace settings: session, user, tags, prompt. */
	trace?: TraceSettings;
}

export interface ChatCall {
	messages: readonly SourceMessage[];
	tools?: readonly ToolDefinition[];
	/** Connected tools that are not offered. A call of one is valid. */
	furtherTools?: readonly ToolDefinition[];
	toolChoice?: ToolChoice;
	/** Additional stop texts for this call. */
	stop?: readonly string[];
	signal?: AbortSignal;
	/** The answer is needed only as a whole, so text may be held back if that makes it better. */
	whole?: boolean;
	/** As `reuse` of `StreamOptions`; only if nothing is read before the end. */
	reuse?: boolean;
	/** Least milliseconds between two pieces of text; called for each. Default: none. */
	pieceMs?: () => number;
	/** Called with every chunk as it is read. */
	onChunk?: (chunk: WireChunk) => void;
}

/** A request before the server is known. */
export interface RequestDraft {
	/** Whether the request depends on the kind of server, so that an unknown one must be identified. */
	dependsOnServer: boolean;
	/** The request for a kind of server, with notes on options that it ignores. */
	forServer(serverKind: KindName): { request: ChatRequest; notes: string[] };
}

/**
 * Combines the settings with a call.
 *
 * @throws {ServerError} of kind `invalidInput` if the tool to be called is not offered
 */
export function draftRequest(
	settings: ChatSettings,
	call: ChatCall,
	messages: ChatMessage[],
): RequestDraft {
	const tools = call.tools ?? [];
	const toolChoice = toolChoiceFor(call);
	const parameters = withStopTexts(settings.parameters, call.stop);
	const cleaned = cleanedSchemas(tools, parameters);
	return {
		dependsOnServer:
			dependsOnServerKind(settings.parameters) ||
			needsNativeApi(settings.parameters) ||
			// The chat template tells the format of calls, and whether the model is told about tools.
			tools.length > 0 ||
			cleaned.changed ||
			messages.some((message) => hasReasoning(message) || hasPicture(message)),
		forServer(serverKind) {
			const needsCleanSchemas =
				kindOf(serverKind).chat.schema?.becomesGrammar === true && cleaned.changed;
			const schemas = needsCleanSchemas ? cleaned : { tools: [...tools], parameters, notes: [] };
			const request: ChatRequest = {
				model: settings.model.trim(),
				messages,
				tools: schemas.tools,
				...optional({ toolChoice }),
				parameters: schemas.parameters,
				serverKind,
			};
			return { request, notes: [...notesOnIgnored(request), ...schemas.notes] };
		},
	};
}

function toolChoiceFor({ tools = [], toolChoice }: ChatCall): ToolChoice | undefined {
	if (tools.length === 0) return undefined;
	if (typeof toolChoice === 'object' && !tools.some(({ name }) => name === toolChoice.name))
		throw unknownTool(toolChoice.name);
	return toolChoice;
}

function withStopTexts(parameters: ChatParameters, more: readonly string[] = []): ChatParameters {
	const stop = [...new Set([...(parameters.stop ?? []), ...more])];
	return stop.length === 0 ? parameters : { ...parameters, stop };
}

/** Whether a message has a picture or a video. */
export function hasPicture({ content }: ChatMessage): boolean {
	return mediaOf(content).some(({ type }) => type !== 'audio');
}

/** Characters of text in a conversation. */
export function textLength(messages: readonly ChatMessage[]): number {
	return messages.reduce((sum, { content }) => sum + textOf(content).length, 0);
}

/** The tools that the model may call. */
export function callableTools({ tools = [], toolChoice }: ChatRequest): ToolDefinition[] {
	if (toolChoice === 'none') return [];
	if (typeof toolChoice !== 'object') return tools;
	return tools.filter(({ name }) => name === toolChoice.name);
}

function hasReasoning(message: ChatMessage): boolean {
	return message.role === 'assistant' && message.reasoning !== undefined;
}

function cleanedSchemas(tools: readonly ToolDefinition[], parameters: ChatParameters) {
	const notes: string[] = [];
	let changed = false;
	const clean = (schema: JsonRecord, where: string) => {
		const result = cleanSchema(schema);
		changed ||= JSON.stringify(result.schema) !== JSON.stringify(schema);
		if (result.dropped.length > 0)
			notes.push(
				`The server cannot enforce parts of ${where}, so they were left out: ${result.dropped.join(', ')}`,
			);
		return result.schema;
	};
	const cleanTools = tools.map((tool) => ({
		...tool,
		parameters: clean(tool.parameters, `the schema of the tool "${tool.name}"`),
	}));
	const format = parameters.responseFormat;
	const responseFormat =
		format?.type === 'jsonSchema'
			? { ...format, schema: clean(format.schema, 'the JSON schema') }
			: format;
	return {
		tools: cleanTools,
		parameters: { ...parameters, ...optional({ responseFormat }) },
		notes,
		changed,
	};
}

function notesOnIgnored({ parameters, serverKind, toolChoice }: ChatRequest): string[] {
	const ignored = ignoredParameters(parameters, serverKind);
	if (kindOf(serverKind).chat.nativeProtocol !== undefined)
		append(ignored, removedOptions(parameters));
	// "None" works without the field: the tools are not sent.
	const needsField = toolChoice === 'required' || typeof toolChoice === 'object';
	if (needsField && kindOf(serverKind).chat.toolChoice === 'ignored') ignored.push('Tool Choice');
	if (ignored.length === 0) return [];
	return [
		`This server (${kindOf(serverKind).label}) ignores these options, so they were not sent: ${ignored.join(', ')}`,
	];
}

function unknownTool(name: string): ServerError {
	return invalidInput(
		`The tool "${name}" is to be called, but it is not among the tools of the model`,
		'Connect the tool, or let the model choose.',
	);
}
