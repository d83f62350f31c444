/** The data of a chat: what is asked, what is sent, what comes back. */
import type { ErrorType } from '../errors/error-types';
import type { Timeouts } from '../http/timeouts';
import type { ContentPart } from '../files/read-file';
import type { Priority } from '../http/queue';
import type { ModelServer, ServerType, ServerTypeName } from '../servers/types/server-type';
import type { TraceSettings } from '../tracing/attributes';
import type { DisplayedText } from './read/displayed-text';
import type { GenerationOptionValues } from './body/generation-options';
import type { TokenLogprob } from './read/logprobs';
import type { TextAndReasoning } from '../text/reasoning';
import type { ExactJson } from '../values/exact-json';
import type { JsonRecord } from '../values/records';
import type { RawToolCall, RejectedTextCall } from '../text/calls/types';

/** A call of a tool. */
export interface ToolCall {
	/** For n8n our own ID (`createToolCallIds`), for the server its own. */
	id: string;
	name: string;
	/** JSON text of an object, if possible exactly as the model wrote it. */
	arguments: string;
}

/** A message of a conversation, independent of LangChain and wire protocols. */
export type ChatMessage =
	| { role: 'system' | 'user'; content: string | ContentPart[] }
	| { role: 'assistant'; content: string; reasoning?: string; toolCalls?: ToolCall[] }
	| { role: 'tool'; toolCallId: string; name: string; content: string };

/** A tool that the model may call. */
export interface ToolDefinition {
	name: string;
	/** The name without the prefix of the tool's MCP client. */
	shortName?: string;
	description?: string;
	/** JSON schema of the arguments. */
	schema: JsonRecord;
}

/** Whether tools are called: the model decides, never, always, or always this one. */
export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };

export type Thinking =
	| { mode: 'serverDefault' }
	| { mode: 'on' }
	| { mode: 'off' }
	| { mode: 'effort'; effort: 'minimal' | 'low' | 'medium' | 'high' }
	/** Maximum tokens of the thinking block; llama-server only. */
	| { mode: 'budget'; tokens: number };

/** JSON that matches a schema. */
export interface JsonSchemaFormat {
	type: 'jsonSchema';
	/** The schema that is sent. */
	schema: JsonRecord;
	/** The schema for validation, if it is less strict than the one that is sent. */
	validationSchema?: JsonRecord;
	/** Whether the prompt contains the schema, so that the format may be omitted if the server rejects it. */
	isInPrompt?: true;
	/** Name of the schema. Default: `answer`. */
	name?: string;
}

export type ResponseFormat =
	| { type: 'text' }
	| { type: 'jsonObject' }
	| JsonSchemaFormat
	| { type: 'grammar'; grammar: string };

/** Sampling and other settings of a generation. Fields that are not set are not sent. */
export interface SamplingSettings extends GenerationOptionValues {
	responseFormat?: ResponseFormat;
	thinking?: Thinking;
	/** Merged into the body last, overriding everything else. */
	extraBody?: JsonRecord;
}

/** Whether history includes thinking: never, in running tool turns, or with every message that has it. */
export type ThinkingHistory = 'never' | 'toolTurns' | 'always';

/** Settings of a turn. */
export interface ChatSettings {
	model: string;
	sampling: SamplingSettings;
	thinkingHistory: ThinkingHistory;
	/** Whether to show thinking in the response, between `<think>` tags. */
	showThinking: boolean;
	/** Whether calls that the model wrote into its text become calls (`read`, the default), or stay text. */
	toolCallsInText?: 'read' | 'leave';
	/** Maximum tokens of the earlier turns; older ones are omitted. Default: no limit. */
	historyBudget?: number;
	/** Trace settings: session, user, tags, prompt. */
	trace?: TraceSettings;
	timeouts: Partial<Timeouts>;
	/** Retries after a refused connection or a busy server. */
	retries: number;
	/** Priority in the queue. */
	priority?: Priority;
}

/** A request of a chain or agent. */
export interface ChatRequest {
	messages: readonly InputMessage[];
	tools?: readonly ToolDefinition[];
	/** Connected tools that are not offered. A call of one is valid. */
	unofferedTools?: readonly ToolDefinition[];
	toolChoice?: ToolChoice;
	/** Additional stop texts for this call. */
	stop?: readonly string[];
	signal?: AbortSignal;
	/** Whether the response is needed only when complete. */
	isBuffered?: boolean;
}

/** Token counts as the server reports them. */
export interface Usage {
	promptTokens: number;
	completionTokens: number;
	totalTokens: number;
	/** Prompt tokens from the server's cache. */
	cachedTokens?: number;
	reasoningTokens?: number;
	/** Estimated from the texts, because the server sent no counts. */
	estimated?: true;
}

/**
 * llama-server's timings: counts, milliseconds, and tokens per second. `load_ms`: load time of the model for this
 * response (Ollama).
 */
export type Timings = Record<string, number>;

/** The JSON of a response; or, beside a call that nothing asked for, why its text is not the JSON. */
export type RequestedJson = ValidJson | { type: 'invalid'; issues: string[] };

/** JSON that matches its format. */
export interface ValidJson extends ExactJson {
	type: 'valid';
}

/** The result of a turn: a usable response with its origin and times. */
export interface ChatResult extends TextAndReasoning {
	/** The JSON of the text, if the response format requires JSON. */
	json?: RequestedJson;
	toolCalls: ToolCall[];
	/** `stop`, `length`, `tool_calls`, or another reason of the server; `unknown` without one. */
	finishReason: string;
	usage?: Usage;
	timings?: Timings;
	/** Model name that the server reported. */
	model?: string;
	/** Warnings for the user. */
	warnings: string[];
	/** Resolved URL that responded. */
	url: string;
	/** Server type, if it was recognized. */
	serverType?: ServerTypeName;
	/** Milliseconds from the call to the first token, with the queue and attempts that failed; 0 if it is not known. */
	firstTokenMs: number;
	/** Milliseconds from the call to the end. */
	totalMs: number;
	/** Further fields for the execution log. */
	logFields?: JsonRecord;
}

/** A tool call as LangChain has it. */
export interface InputToolCall {
	id?: string;
	name: string;
	args: JsonRecord;
}

/** A call whose arguments LangChain could not parse. */
export interface InvalidToolCall {
	id?: string;
	name?: string;
}

/** A LangChain message as plain data, made by `lib/langchain/host-data.ts`. */
export interface InputMessage {
	type: 'system' | 'human' | 'ai' | 'tool';
	content: unknown;
	/** Files that follow the content. */
	files?: ContentPart[];
	toolCalls?: InputToolCall[];
	/** Calls with arguments that could not be parsed. Never sent back. */
	invalidToolCalls?: InvalidToolCall[];
	/** In a tool's result: the ID of its call. */
	toolCallId?: string;
	/** In a tool's result: the name of the tool. */
	name?: string;
	reasoning?: string;
}

/** LangChain's message types, by the roles of OpenAI, Google and LangChain. */
export const MESSAGE_TYPES: ReadonlyMap<string | undefined, InputMessage['type']> = new Map([
	['system', 'system'],
	['developer', 'system'],
	['user', 'human'],
	['human', 'human'],
	['assistant', 'ai'],
	['ai', 'ai'],
	['model', 'ai'],
	['tool', 'tool'],
	['function', 'tool'],
]);

/**
 * Generates the result of a chat request.
 *
 * @param onDelta called with the text as it arrives
 * @throws {ServerError} with the received text
 */
export type ChatGenerator = (
	chatRequest: ChatRequest,
	onDelta?: (delta: string) => void,
) => Promise<ChatResult>;

/** What was received of a response, complete or not. */
export interface Completion extends TextAndReasoning {
	usage?: Usage;
	timings?: Timings;
	/** Model name that the server reported. */
	model?: string;
	/** `system_fingerprint`, by which some servers are known. */
	fingerprint?: string;
	/** Empty if they were not requested. */
	logprobs: TokenLogprob[];
	toolCalls: RawToolCall[];
	finishReason: string;
	/** Whether the response began with the end of thinking that the prompt had begun. */
	hasEmptyReasoning: boolean;
	/** Whether the token limit ended the response. */
	isCutOff: boolean;
	/** Whether the text is a refusal, in the field that OpenAI's API has for it. */
	isRefusal: boolean;
	/** Whether a call without a name and arguments was ignored. */
	hasEmptyCall: boolean;
	/** A call in the text that is not executed, with the reason. */
	rejectedCall?: RejectedTextCall;
	/** Why it cannot be used. */
	failure?: CompletionFailure;
}

/** Why a response cannot be used. */
export interface CompletionFailure {
	/** Default: those of the type. */
	title?: string;
	suggestion?: string;
	errorType: ErrorType;
	serverText?: string;
	/** The body of the error that the server reported, which has the type. */
	errorBody?: string;
	facts?: JsonRecord;
	/** Tool of the invalid call. */
	tool?: string;
	/** Whether the model can correct its calls. */
	isCorrectable?: boolean;
}

/** A chat completion request, independent of the wire protocol. */
export interface CompletionRequest {
	model: string;
	messages: readonly ChatMessage[];
	tools: readonly ToolDefinition[];
	toolChoice?: ToolChoice;
	sampling: SamplingSettings;
	/**
	 * Calls that were corrected in this turn, as the model wrote them: the messages have only their beginnings. If they appear
	 * in the text of a response, they are quotations.
	 */
	correctedCalls?: readonly RawToolCall[];
}

/** Names of tools that servers accept, and back. */
export interface ToolNames {
	/** The name that is sent. */
	toWire(name: string): string;
	/** The tool's own name. */
	toOriginal(name: string): string;
}

/** What all attempts of a turn share. Nothing of it changes during the turn. */
export interface TurnContext {
	readonly server: ModelServer;
	readonly serverType: ServerType;
	readonly settings: ChatSettings;
	readonly chatRequest: ChatRequest;
	readonly toolNames: ToolNames;
	/** Texts of the conversation and of the tools: a call in the response that appears in them is a quotation. */
	readonly quotableTexts: readonly string[];
	/** Where the text goes that users see. */
	readonly display: DisplayedText;
	/** By `performance.now()`. */
	readonly startedAt: number;
}
