/** One request of a turn to the model, and what was received for it. */
import type { ErrorType } from '../errors/error-types';
import type { KnownFacts } from '../errors/facts';
import type { TokenLogprob } from './read/logprobs';
import type { TextAndReasoning } from '../text/reasoning';
import type { ThinkingKey } from '../servers/template-arguments';
import type { JsonRecord } from '../values/records';
import type { RawToolCall } from '../text/calls/types';
import type { RejectedTextCall } from '../rejected-call';
import type { SamplingSettings } from './settings';
import type { ChatMessage } from './chat-message';
import type { ToolDefinition, ToolChoice } from './tool-definition';
import type { Usage, Timings } from './chat-result';

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
	/** Limit of its tokens that was sent. */
	maxTokens?: number;
	/** Whether the token limit ended the response. */
	isCutOff: boolean;
	/** Whether the text is a refusal, in the field that OpenAI's API has for it. */
	isRefusal: boolean;
	/** Whether a call without a name and arguments was ignored. */
	hasEmptyCall: boolean;
	/** A call in the text that is not executed, with the reason. */
	rejectedCall?: RejectedTextCall;
	/** Whether the text is what the server filed as thinking. */
	hasAnswerInThinking?: true;
	/** What arrived after the end of a complete response, and was ignored. */
	ignoredEnd?: IgnoredEnd;
	/** Why it cannot be used. */
	failure?: CompletionFailure;
}

/** What a server sent after the end of a complete response. */
export interface IgnoredEnd {
	/** The event with an error, as JSON; undefined for one that could not be read. */
	event?: string;
}

/** Why a response cannot be used: an event of the server with an error, or what the node found out itself. */
export type CompletionFailure = ReportedFailure | FoundFailure;

/** The server reported an error in its response. What it wrote decides the type. */
interface ReportedFailure extends Partial<
	Record<Exclude<keyof FoundFailure, 'errorEvent' | 'isAfterOutput'>, undefined>
> {
	/** The event with the error, as JSON. */
	errorEvent: string;
	/** Whether output came before it. Then it refuses nothing of what was sent. */
	isAfterOutput?: boolean;
}

/** What the node found out itself. */
interface FoundFailure {
	errorEvent?: undefined;
	isAfterOutput?: undefined;
	errorType: ErrorType;
	/** What else is known. Default: nothing. */
	about?: KnownFacts;
	serverText?: string;
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
	/** Arguments of the chat template that turn the thinking on or off; undefined if the template is not known. */
	thinkingKeys?: readonly ThinkingKey[];
	/** Tokens in the chat template of the model. Default: none are known. */
	templateTokens?: readonly string[];
}
