/** What servers of a kind can do in chats and completions. */
import type { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { JsonRecord } from '../../values';

/** How a refused request is changed so that the server accepts it. */
export type Workaround =
	| 'withoutStream'
	/** The same where a response format is requested. */
	| 'formatWithoutStream'
	| 'withoutUsageInStream'
	| 'shortToolIds'
	| 'withoutThinkingSetting'
	| 'lowThinkingEffort'
	| 'anyAsToolChoice'
	/** With the schema of any JSON object in place of `json_object`. */
	| 'jsonObjectAsSchema'
	/** With `json_object` in place of a schema. */
	| 'schemaAsJsonObject'
	/** Without the fields that the refusal names, if the answer is still what the user wants without them. */
	| 'withoutRefusedFields';

/** How a server words that it refuses a request, before it generates anything, and the workaround. */
export interface KnownRefusal {
	/** Pattern for its text. Undefined where the workaround reads in the text what to change. */
	says?: RegExp;
	then: Workaround;
	/** A note for the user, if the request no longer does exactly what was set. */
	note?: string;
}

/** Prose has four to five characters per token, code and other scripts fewer: a longer text does not fit. */
export const MAX_CHARACTERS_PER_TOKEN = 5;

/** A conversation that a server may have shortened to fit its context. */
export interface FittedConversation {
	model: string;
	/** Length of its texts. */
	characters: number;
	/** Tokens that the server read; undefined if it counts none. */
	promptTokens?: number;
	/** Tokens of context that were requested. */
	contextSize?: number;
	/** Tokens that it should have at least, by earlier prompts. */
	leastTokens?: number;
}

/** Longer texts than prose has in a token, and enough of them to be sure. */
const MANY_CHARACTERS_PER_TOKEN = 7;
const LONG = 6_000;

/** Whether the server read too few tokens for the length of a conversation. */
export function isSparse({ characters, promptTokens = Infinity }: FittedConversation): boolean {
	return characters > LONG && characters > promptTokens * MANY_CHARACTERS_PER_TOKEN;
}

/** A server whose finish reason is `stop` also where its limit of tokens ended the answer. */
export interface HiddenLimit {
	/** Its limit where the request has none. */
	byDefault?: number;
}

/** Whether the limit of tokens ended an answer, although its finish reason is `stop`. */
export function reachesHiddenLimit(
	limit: HiddenLimit | undefined,
	maxTokens = 0,
	completionTokens = 0,
): boolean {
	if (limit === undefined) return false;
	return maxTokens > 0 ? completionTokens >= maxTokens : completionTokens === limit.byDefault;
}

/** The type of a message's part that holds a video, and its field. */
export type VideoField = 'input_video' | 'video_url';

/** What a chat request may contain, and what an answer says. */
export interface ChatAbilities {
	fields: {
		/**
		 * The supported options beyond OpenAI's API, by their names in lib/chat/request/samplers.ts; `all`: unknown, so
		 * everything that is set is sent.
		 */
		extra: 'all' | readonly string[];
		/** Options of lib/chat/request/samplers.ts that only this kind knows (`own` there). */
		own?: readonly string[];
		/** Options whose field has another name than on llama-server. */
		names?: Readonly<Record<string, string>>;
		/** `max_tokens: -1` means no limit. Others refuse it, and apply no limit if nothing is sent. */
		takesUnlimited?: true;
	};
	/** Its own protocol (lib/chat/wire/), for requests that OpenAI's route does not fully support there. */
	nativeProtocol?: 'ollama';
	grammar?: {
		/** The fields for a GBNF grammar. */
		fields(grammar: string): JsonRecord;
		/** It is known to enforce such a grammar. */
		isEnforced?: true;
	};
	schema?: {
		/** The fields for a JSON schema, if not in OpenAI's form. */
		fields?(schema: JsonRecord): JsonRecord;
		/** It refuses `json_object`, and takes the schema of any JSON object in place of it. */
		replacesJsonObject?: true;
		/** It is known to enforce schemas. */
		isEnforced?: true;
		/** It converts schemas to a grammar, and refuses what it cannot convert. */
		becomesGrammar?: true;
	};
	thinking: {
		/**
		 * How thinking is switched on and off: by an argument of the chat template, by `reasoning_effort`,
		 * or not at all.
		 */
		switch: 'template' | 'effort' | 'none';
		/** It takes a token budget. */
		hasBudget?: true;
		/** It separates thinking from the text, or includes the opening tag. */
		isSplitFromText?: true;
		/** The message fields from which it reads the thinking of earlier turns. */
		fields: readonly string[];
	};
	/** `named`: follows an object that names one tool. `mode`: follows "none" and "required" only. `ignored`: neither. */
	toolChoice: 'named' | 'mode' | 'ignored';
	/** The format of tool calls that it prompts models without one to use (lib/chat/text-formats/). */
	callFormat?: string;
	/** Refusals with a workaround. */
	refusals: readonly KnownRefusal[];
	/** The answer that contains the model's chat template. Loads nothing. */
	template?(connection: Connection, model: string): Promise<unknown>;
	/** How it takes videos; undefined: not at all. */
	videoField?: VideoField;
	/** Throws before pictures are sent to a model that cannot see, if the server would silently ignore them. */
	refuseUnseenPictures?(connection: Connection, model: string, signal?: AbortSignal): Promise<void>;
	/** A note for the user if the server silently dropped the beginning of a conversation. */
	remarkOnDroppedMessages?(
		connection: Connection,
		conversation: FittedConversation,
		signal?: AbortSignal,
	): Promise<string | undefined>;
	/** The error for an empty answer, if the server silently cut a message that does not fit. */
	explainEmptyAnswer?(
		connection: Connection,
		conversation: FittedConversation,
		signal?: AbortSignal,
	): Promise<ServerError | undefined>;
	/** A note for the user if a model runs on machines of others, by its name. */
	remarkOnCloudModel?(model: string): string | undefined;
}

/** A route for completions: OpenAI's below the API's path, the others below the root. */
export type CompletionRoute = '/completions' | '/completion' | '/api/generate';

export interface CompletionAbilities {
	/** The best route to continue a prompt. */
	prompt: CompletionRoute;
	hiddenLimit?: HiddenLimit;
}
