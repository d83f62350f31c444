import type { ErrorBody } from '../errors/error-body';
import type { ServerKind } from '../servers/kinds';
import type { FieldChanges } from '../servers/refused-fields';
import type { Skipped } from '../servers/pool/failover';
import type { SamplerValues } from './request/samplers';

/** One piece of a message's content, in the shape every wire protocol can be written from. */
export type ContentPart =
	| { type: 'text'; text: string }
	/** `url`: a data URL with clean base64, or an http(s) URL that the server fetches itself. */
	| { type: 'image'; url: string }
	/** `data`: clean base64. `format`: `wav`, `mp3`, … */
	| { type: 'audio'; data: string; format: string };

export interface ToolCall {
	/** Ours where n8n sees it (`ownToolCallIds`), the server's where it goes to the server. */
	id: string;
	name: string;
	/** JSON text of an object, as the model wrote it where that is known. */
	arguments: string;
}

/** A conversation message, free of LangChain and of any wire protocol. */
export type ChatMessage =
	| { role: 'system' | 'user'; content: string | ContentPart[] }
	| { role: 'assistant'; content: string; reasoning?: string; toolCalls?: ToolCall[] }
	| { role: 'tool'; toolCallId: string; name?: string; content: string };

export interface ToolDefinition {
	name: string;
	description?: string;
	/** JSON schema of the arguments. */
	parameters: Record<string, unknown>;
}

/** What a tool call may be: left to the model, forbidden, forced, or forced to one tool. */
export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };

export type Thinking = ThinkingLimits &
	(
		| { mode: 'serverDefault' }
		| { mode: 'on' }
		| { mode: 'off' }
		| { mode: 'effort'; effort: 'minimal' | 'low' | 'medium' | 'high' }
		/** Most tokens for the thinking block; llama-server only. */
		| { mode: 'budget'; tokens: number }
	);

interface ThinkingLimits {
	/** The thinking is ended after so many milliseconds. */
	limitMs?: number;
	/** The same in tokens, for a server that cannot be told to end it. */
	limitTokens?: number;
}

export type ResponseFormat =
	| { type: 'text' }
	| { type: 'jsonObject' }
	| { type: 'jsonSchema'; schema: Record<string, unknown>; name?: string }
	| { type: 'grammar'; grammar: string };

/** Sampling and other settings of a generation. A field that is not set is not sent. */
export interface ChatParameters extends SamplerValues {
	responseFormat?: ResponseFormat;
	thinking?: Thinking;
	/** Merged into the body last, over everything else. */
	extraBody?: Record<string, unknown>;
}

export interface ChatRequest {
	model: string;
	messages: ChatMessage[];
	tools?: ToolDefinition[];
	toolChoice?: ToolChoice;
	parameters: ChatParameters;
	serverKind: ServerKind;
	/** Rewrite tool-call ids to nine letters and digits, which the templates of Mistral models demand. */
	shortToolIds?: boolean;
	/** What becomes of fields of the body that the server refuses. */
	fieldChanges?: FieldChanges;
	/** False only for servers that refuse to stream together with tools. */
	stream?: boolean;
	/** False only for servers that refuse a stream with token counts. */
	streamUsage?: boolean;
}

/** Token counts as the server reports them. */
export interface Usage {
	promptTokens: number;
	completionTokens: number;
	totalTokens: number;
	/** Prompt tokens the server took from its cache. */
	cachedTokens?: number;
	reasoningTokens?: number;
	/** Estimated from the texts, because the server told nothing. */
	estimated?: true;
}

/**
 * llama-server's timings: counts, milliseconds, and tokens per second. `load_ms`: how long the model was loaded for this
 * answer (Ollama).
 */
export type Timings = Record<string, number>;

export interface ToolCallPiece {
	/** Index on the wire; pieces of one call share it. Some servers write it as text. */
	index?: number | string;
	id?: string;
	name?: string;
	/** A piece of the JSON text, or the whole object (Ollama's native form). */
	arguments?: string | Record<string, unknown>;
	/** The piece is a call of its own, whatever its index says. */
	complete?: boolean;
}

/** Text for the reader, and thinking. */
export interface SplitText {
	text: string;
	reasoning: string;
}

/** One step of an answer, as a wire protocol decodes it. Everything is optional: servers leave out what they like. */
export interface WireChunk extends Partial<SplitText> {
	/** Number of the choice, where it is not 0. */
	choice?: number;
	/** What it holds is a whole message, not a piece of one. */
	isMessage?: true;
	toolCalls?: ToolCallPiece[];
	finishReason?: string;
	/** The reason of the end is null in it: the server has that field, so an end without a reason is none. */
	sendsReason?: true;
	usage?: Usage;
	timings?: Timings;
	model?: string;
	/** The end marker of the protocol (`[DONE]`). */
	done?: boolean;
	/** An error inside a stream that began well. */
	error?: ErrorBody;
	/** The server reads the prompt: fraction done, from 0 to 1. */
	progress?: number;
	/** Thinking in a chunk that holds nothing else, not even what every model server sends along. */
	bareReasoning?: string;
	/** Who made this, though a gateway may have passed it on. */
	madeBy?: ServerKind;
}

/** A complete, checked answer. */
export interface ChatAnswer extends SplitText, Pick<WireChunk, 'usage' | 'timings' | 'model'> {
	toolCalls: ToolCall[];
	/** `stop`, `length`, `tool_calls`, or what else the server said; `unknown` where it said nothing. */
	finishReason: string;
	/** What the user should know although the answer is usable. */
	notes: string[];
}

/** An answer with where it came from and how long it took. */
export interface FinishedAnswer extends ChatAnswer {
	/** The resolved URL that answered. */
	url: string;
	/** Why what looks like a call in its text is none. */
	callNotRun?: UnrunReason;
	/** Which of several servers answered, under which name it has the model, and which ones did not. */
	server?: { url: string; model: string; passedOver: Skipped[] };
	serverKind: ServerKind;
	/** Milliseconds from sending to the first token, and to the end. */
	firstTokenMs: number;
	totalMs: number;
	/** What else the execution log shows. */
	log?: Record<string, unknown>;
}

/** Why what looks like a call is none. */
export type UnrunReason =
	| 'quoted'
	| 'followed'
	| 'foreign'
	| 'incomplete'
	| 'unknownTool'
	| 'unfit'
	| 'inInput'
	| 'inThinking'
	| 'hasOthers';

/**
 * A message as LangChain has it, reduced to plain data. `lib/langchain/langchain-message.ts` reads it off the host's
 * objects.
 */
export interface SourceMessage {
	type: 'system' | 'human' | 'ai' | 'tool' | 'other';
	/** The role of a generic message. */
	role?: string;
	content: unknown;
	toolCalls?: Array<{ id?: string; name: string; args: Record<string, unknown> }>;
	/** Calls whose arguments did not parse. Never replayed. */
	invalidToolCalls?: Array<{ id?: string; name?: string }>;
	toolCallId?: string;
	name?: string;
	reasoning?: string;
}
