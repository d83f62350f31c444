import type { ErrorBody } from '../errors/error-body';
import type { Limits } from '../http/limits';
import type { Priority } from '../http/scheduler';
import type { KindName } from '../servers/kinds';
import type { FieldChanges } from '../servers/refused-fields';
import type { TraceSettings } from '../tracing/attributes';
import type { SamplerValues } from './request/samplers';
import type { JsonRecord } from '../values';

/*
 * One chat turn, in the order of its stages. `ChatClient.generate` (`client.ts`) runs them, and repeats all but the
 * first where nothing was shown yet.
 *
 * | Function        | File                     | Result           | What is known then                                  |
 * | --------------- | ------------------------ | ---------------- | --------------------------------------------------- |
 * | `prepareCall`   | `prepare.ts`             | `PreparedCall`   | the messages, and a request without its server      |
 * | `openAnswer`    | `open.ts`                | `OpenedAnswer`   | which server and model answer, and to what request  |
 * | – `adaptRequest`| `adapt.ts`               | `AdaptedRequest` | – the request as this server understands it         |
 * | – `sendRequest` | `send.ts`                | `SentRequest`    | – the stream, up to its first content               |
 * | `readAnswer`    | `read.ts`                | `ReadAnswer`     | the chunks to the end; text was yielded on the way  |
 * | `finishAnswer`  | `finish.ts`              | `FinishedAnswer` | the checked answer, with notes, origin and times    |
 * | – `finish`      | `answer/assembly.ts`     | `JudgedAnswer`   | – an `AnswerContent`, or why the answer is unusable |
 */

/** One part of a message's content, independent of wire protocols. */
export type ContentPart =
	| { type: 'text'; text: string }
	/** `url`: a data URL with clean base64, or an http(s) URL that the server fetches itself. */
	| { type: 'image'; url: string }
	/** `data`: clean base64. `format`: `wav`, `mp3`, … */
	| { type: 'audio'; data: string; format: string }
	/** `url`: a data URL with clean base64. */
	| { type: 'video'; url: string };

/** A picture, a recording or a video. */
export type MediaPart = Exclude<ContentPart, { type: 'text' }>;

export interface ToolCall {
	/** Towards n8n our own id (`ownToolCallIds`), towards the server the server's. */
	id: string;
	name: string;
	/** JSON text of an object, if possible exactly as the model wrote it. */
	arguments: string;
}

/** A message of a conversation, independent of LangChain and wire protocols. */
export type ChatMessage =
	| { role: 'system' | 'user'; content: string | ContentPart[] }
	| { role: 'assistant'; content: string; reasoning?: string; toolCalls?: ToolCall[] }
	| { role: 'tool'; toolCallId: string; name?: string; content: string };

export interface ToolDefinition {
	name: string;
	description?: string;
	/** JSON schema of the arguments. */
	parameters: JsonRecord;
}

/** Whether tools are called: the model decides, never, always, or always this one. */
export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };

export type Thinking =
	| { mode: 'serverDefault' }
	| { mode: 'on' }
	| { mode: 'off' }
	| { mode: 'effort'; effort: 'minimal' | 'low' | 'medium' | 'high' }
	/** Most tokens for the thinking block; llama-server only. */
	| { mode: 'budget'; tokens: number };

export type ResponseFormat =
	| { type: 'text' }
	| { type: 'jsonObject' }
	/** `least`: what the answer is checked against, where that is less strict than what is asked for. */
	| { type: 'jsonSchema'; schema: JsonRecord; least?: JsonRecord; name?: string }
	| { type: 'grammar'; grammar: string };

/** Sampling and other settings of a generation. Fields that are not set are not sent. */
export interface ChatParameters extends SamplerValues {
	responseFormat?: ResponseFormat;
	thinking?: Thinking;
	/** Merged into the body last, overriding everything else. */
	extraBody?: JsonRecord;
}

export interface ChatRequest {
	model: string;
	messages: ChatMessage[];
	tools?: ToolDefinition[];
	toolChoice?: ToolChoice;
	parameters: ChatParameters;
	serverKind: KindName;
	/** Rewrite tool-call ids to nine letters and digits, as Mistral's templates require. */
	shortToolIds?: boolean;
	/** The server's word for the tool choice `required`. */
	requiredChoice?: 'any' | 'required';
	/** Changes of body fields that the server refuses. */
	fieldChanges?: FieldChanges;
	/** False only for servers that refuse to stream together with tools. */
	stream?: boolean;
	/** False only for servers that refuse a stream with token counts. */
	streamUsage?: boolean;
}

/** Whether thinking is sent back to the server: never, in running tool turns, or with every message that has it. */
export type ReasoningEcho = 'off' | 'toolTurns' | 'always';

export interface ChatSettings {
	model: string;
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
	limits: Partial<Limits>;
	/** Retries after a refused connection or a busy server. */
	retries: number;
	/** Its class in the queue. */
	priority?: Priority;
}

/** What is asked. */
export interface Call {
	messages: readonly SourceMessage[];
	tools?: readonly ToolDefinition[];
	/** Connected tools that are not offered. A call of one is valid. */
	furtherTools?: readonly ToolDefinition[];
	toolChoice?: ToolChoice;
	/** Additional stop texts for this call. */
	stop?: readonly string[];
	signal?: AbortSignal;
	/** The answer is needed only as a whole: nobody sees it before its end. */
	whole?: boolean;
	/** Called with what each read of the stream brought. */
	onPiece?: (piece: SplitText) => void;
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
 * answer (Ollama).
 */
export type Timings = Record<string, number>;

export interface ToolCallPiece {
	/** Index from the server, the same for all pieces of a call. Some servers send it as text. */
	index?: number | string;
	id?: string;
	name?: string;
	/** A piece of the JSON text, or the whole object (Ollama's native form). */
	arguments?: string | JsonRecord;
	/** The piece is a whole call, whatever its index is. */
	complete?: boolean;
}

/** Text of the answer, and thinking. */
export interface SplitText {
	text: string;
	reasoning: string;
}

/** The event that a chunk was decoded from. */
export interface ChunkOrigin {
	/** The name of the event. */
	event?: string;
	data: string;
	/** The parsed data, with texts for numbers that JavaScript cannot represent; undefined if it is no JSON. */
	json: unknown;
	largeNumbers?: string[];
}

/** A decoded event of an answer. Everything is optional, because servers leave out fields. */
export interface WireChunk extends Partial<SplitText> {
	/** For the transforms in front of the chain, which know other names and shapes of the fields. */
	origin?: ChunkOrigin;
	/** Index of the choice, if not 0. */
	choice?: number;
	/** It contains a whole message, not a delta. */
	isMessage?: true;
	toolCalls?: ToolCallPiece[];
	/** Numbers in its parsed calls that are kept as text, because JavaScript cannot represent them. */
	largeNumbers?: string[];
	finishReason?: string;
	/** Its finish reason is null: the server has that field, so an end without a reason is not a proper end. */
	sendsReason?: true;
	/** It names itself a chunk of OpenAI's protocol, whose last one has a reason. */
	isNamed?: true;
	usage?: Usage;
	timings?: Timings;
	model?: string;
	/** The end marker of the protocol (`[DONE]`). */
	done?: boolean;
	/** An error in the middle of a stream. */
	error?: ErrorBody;
	/** Progress of reading the prompt, from 0 to 1. */
	progress?: number;
	/** The kind of server that made this, also behind a gateway. */
	madeBy?: KindName;
}

/** What a complete, usable answer says. */
export interface AnswerContent extends SplitText, Pick<WireChunk, 'usage' | 'timings' | 'model'> {
	toolCalls: ToolCall[];
	/** `stop`, `length`, `tool_calls`, or another reason of the server; `unknown` without one. */
	finishReason: string;
	/** Notes for the user about this usable answer. */
	notes: string[];
}

/** An answer with its origin and times. */
export interface FinishedAnswer extends AnswerContent {
	/** The resolved URL that answered. */
	url: string;
	/** Why a possible call in its text was not run. */
	callNotRun?: UnrunReason;
	/** The kind of the server, where something told it. */
	serverKind?: KindName;
	/** Milliseconds from the call to the first token, and to the end: with the queue, and attempts that failed. */
	firstTokenMs: number;
	totalMs: number;
	/** Further fields for the execution log. */
	log?: JsonRecord;
}

/** Why a possible call was not run. */
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

/** A LangChain message as plain data, made by `lib/langchain/langchain-message.ts`. */
export interface SourceMessage {
	type: 'system' | 'human' | 'ai' | 'tool' | 'other';
	/** The role of a generic message. */
	role?: string;
	content: unknown;
	toolCalls?: Array<{ id?: string; name: string; args: JsonRecord }>;
	/** Calls with arguments that could not be parsed. Never sent back. */
	invalidToolCalls?: Array<{ id?: string; name?: string }>;
	toolCallId?: string;
	name?: string;
	reasoning?: string;
}

/**
 * A source of chat answers.
 *
 * @param show gets the text as it arrives
 * @throws {ServerError} with the text that had arrived
 */
export type AnswerSource = (call: Call, show?: (piece: string) => void) => Promise<FinishedAnswer>;
