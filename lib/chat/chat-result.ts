/** What comes back from a turn. */
import type { ResponseEnd } from '../errors/issues';
import type { ServerTypeName } from '../server-type-name';
import type { TextAndReasoning } from '../text/reasoning';
import type { ExactJson } from '../values/exact-json';
import type { JsonRecord } from '../values/records';
import type { ToolCall } from './chat-message';

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
export type RequestedJson = ValidJson | JsonMismatch;

/** JSON that matches its format. */
export interface ValidJson extends ExactJson {
	type: 'valid';
}

/** Why a text is not the requested JSON. */
export interface JsonMismatch {
	type: 'invalid';
	/** Sentences; at least one. */
	issues: string[];
	/** Whether the token limit ended the text. */
	isCutOff: boolean;
	/** How the response ended, once it is compared. */
	end?: ResponseEnd;
}

/** The result of a turn: a usable response with its origin and times. */
export interface ChatResult extends TextAndReasoning {
	/** All that was shown: with the thinking if that is shown, and with the text of attempts that failed or were corrected. */
	text: string;
	/** The JSON of the text, or why it is none, if the response format requires JSON. */
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
	/** How often the model corrected its response; undefined if it never had to. */
	corrections?: number;
	/** How often the request gave way to interactive ones; undefined if it never did. */
	timesPreempted?: number;
	/** Further fields for the execution log, which nothing else reads. */
	logFields?: JsonRecord;
}
