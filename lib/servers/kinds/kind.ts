import type { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { CallAnswer } from '../../http/types';
import type { ServerModel } from '../models';

/** One answer of a server, whatever its status. */
export type ServerAnswer = Omit<CallAnswer, 'url' | 'redirects'>;

/** The routes by which servers are identified. `models` is below the API's path, the others below the root. */
export type IdentifyingRoute = 'models' | 'apiVersion' | 'version' | 'health' | 'props' | 'info';

/** What a server answered. Routes that were not asked or did not answer are missing. */
export type ServerAnswers = Partial<Record<IdentifyingRoute, ServerAnswer>>;

/** How a refused request is changed so that the server accepts it. */
export type Workaround =
	| 'withoutStream'
	| 'withoutUsageInStream'
	| 'shortToolIds'
	| 'withoutThinkingSetting'
	| 'lowThinkingEffort'
	/** Without the fields that the refusal names, if the answer is still what the user wants without them. */
	| 'withoutRefusedFields';

/** A refusal before anything was generated, and the workaround. */
export interface Refusal {
	/** Pattern for its text. */
	says: RegExp;
	then: Workaround;
	/** A note for the user, if the request no longer does exactly what was set. */
	note?: string;
}

/**
 * Names of the server-side parsers for the tool calls of a family of models (lib/chat/answer/text-formats/families.ts).
 */
export interface ToolParsers {
	vllm?: string;
	sglang?: string;
}

/** A conversation that a server may have shortened to fit its context. */
export interface FittedConversation {
	model: string;
	/** Length of its texts. */
	characters: number;
	/** Tokens that the server read. */
	promptTokens: number;
	/** Tokens of context that were requested. */
	contextSize?: number;
}

/** What a model is for. */
export type ModelUse = 'embeddings' | 'reranking' | 'images' | 'transcription' | 'speech';

/** A request below the root of a server. */
export interface RootRequest {
	path: string;
	json: Record<string, unknown>;
}

/** A request and how to read its answer; undefined for an answer that the route does not give. */
export interface Question<T> extends RootRequest {
	read(json: unknown): T | undefined;
}

/** A token with its text, or with its bytes in hexadecimal if it is a part of a character. */
export type Piece = { id: number; piece: string } | { id: number; bytes: string };

export interface Tokenized {
	tokens: number[];
	pieces?: Piece[];
}

/** The tokenizer routes of a server other than llama-server. */
export interface TokenRoutes {
	tokenize(
		text: string,
		options: { model: string; addSpecial: boolean; withPieces: boolean },
	): Question<Tokenized>;
	detokenize(tokens: readonly number[], model: string): Question<string>;
	/** Counts the tokens of a conversation. `chat`: the fields of a chat request. */
	countPrompt?(chat: Record<string, unknown>, model: string): Question<number>;
}

/** A request for embeddings. */
export interface EmbeddingRequest {
	model: string;
	/** Each entry is a text, or the tokens of a text. */
	input: Array<string | number[]>;
	/** Whether the server shall cut texts that are too long, keeping the beginning. */
	truncate: boolean;
	/** Wanted length of the vectors. */
	dimensions?: number;
	/** How long Ollama keeps the model in memory. */
	keepAlive?: string | number;
}

/** Everything that this package needs to know about a kind of server, one file per kind. */
export interface ServerKind {
	/** The server's name in sentences. */
	label: string;
	/** Whether the answers are from this kind. Kinds are tested in the order of `kinds/index.ts`. */
	matches(answers: ServerAnswers): boolean;
	/** The server's version, if one of the answers contains it. */
	version?(answers: ServerAnswers): string | undefined;

	/**
	 * The supported options beyond OpenAI's API, by their names in lib/chat/request/samplers.ts; `all`: unknown, so
	 * everything that is set is sent.
	 */
	extraFields: 'all' | readonly string[];
	/** Options of lib/chat/request/samplers.ts that only this kind knows (`own` there). */
	ownFields?: readonly string[];
	/** Options whose field has another name than on llama-server. */
	fieldNames?: Readonly<Record<string, string>>;
	/** Whether `max_tokens: -1` means no limit. Others refuse it, and apply no limit if nothing is sent. */
	takesUnlimited?: boolean;
	/** The fields for a GBNF grammar; undefined: not supported. */
	grammar?(grammar: string): Record<string, unknown>;
	/** Whether it is known to enforce such a grammar. */
	keepsToGrammar?: boolean;
	/** The fields for a JSON schema, if not in OpenAI's form. */
	schemaFields?(schema: Record<string, unknown>): Record<string, unknown>;
	/** How thinking is switched on and off: by an argument of the chat template, or by `reasoning_effort`. */
	thinkingSwitch: 'template' | 'effort';
	/** Whether it takes a token budget for thinking. */
	thinkingBudget: boolean;
	/** Whether it may have a route that ends thinking in a running answer. Newer versions do. */
	endsThinking?: boolean;
	/** `named`: follows an object that names one tool. `mode`: follows "none" and "required" only. `ignored`: neither. */
	toolChoice: 'named' | 'mode' | 'ignored';
	/** The message fields from which it reads the thinking of earlier turns. */
	reasoningFields: readonly string[];
	/** Whether it converts JSON schemas to a grammar and refuses what it cannot convert, as llama-server does. */
	schemasBecomeGrammar?: boolean;
	/** Whether it separates thinking from the text, or includes the opening tag. */
	splitsThinking?: boolean;
	/** The format of tool calls that it prompts models without one to use (lib/chat/answer/text-formats/). */
	textFormat?: string;
	/** Refusals with a workaround. */
	refusals?: readonly Refusal[];

	/** Whether it may store answers, so that reading one can resume after a lost connection. Newer versions do. */
	mayResumeAnswers?: boolean;

	/** Whether all listed models are in memory. */
	listsLoadedModelsOnly?: boolean;
	/** Whether it answers with its one model, whatever name is requested. */
	ignoresModelName?: boolean;
	/** Any other request, also one for its list of models, ends the running answer. */
	otherRequestsEndAnswers?: true;
	/** The health route below the root, if not `/health`. */
	healthPath?: string;
	/** Whether its list of models may be empty although it serves one. */
	mayListNothing?: boolean;
	/** Whether it never asks for a key. */
	wantsNoKey?: boolean;
	/** Whether it takes the key only as Bearer token. */
	bearerOnly?: boolean;
	/**
	 * If the list of models needs no key: a route below the root that needs the key and has no effect. `json`: sent with
	 * POST.
	 */
	guardedRoute?: { path: string; json?: unknown };
	/** Its tokenizer routes; undefined: those of llama-server, or none. */
	tokenRoutes?: TokenRoutes;
	/** Its native requests for vectors and scores, which can turn off silent cutting of texts. */
	embeddingRequest?(request: EmbeddingRequest): RootRequest;
	rerankRequest?(request: {
		query: string;
		texts: readonly string[];
		truncate: boolean;
	}): RootRequest;
	/** Fields that make it cut texts that are too long, in requests of OpenAI's form. */
	truncateFields?: Readonly<Record<string, unknown>>;
	/** Whether it can send vectors in base64, a quarter of the size. Others send floats, or were not tested. */
	sendsBase64?: boolean;
	/** Text of its refusals that identifies it. */
	refusalWords?: RegExp;
	/** Its name in the `system_fingerprint` of answers, which gateways pass on. */
	fingerprint?: string;
	/** Whether it reloads a model for each new context size. */
	loadsAnewForContext?: boolean;
	/** Whether it has a route for reranking; undefined: not known. */
	reranks?: boolean;
	/** An alias of its API (end of the URL) that has no route for reranking. */
	aliasWithoutRerank?: string;
	/** Whether it silently ignores `suffix` in requests to fill in. */
	ignoresSuffix?: boolean;
	/** Whether a request for pictures or sound must name a model. */
	mediaNeedsModel?: boolean;
	/** Whether its transcription route is `/inference` below the root, not OpenAI's. */
	transcribesAtInference?: boolean;
	/** Whether it makes pictures in jobs that can be followed and cancelled. */
	hasImageJobs?: boolean;
	/** Whether it answers requests for pictures with nothing after a long time, so that none is sent. */
	swallowsImageRequests?: boolean;
	/** Whether it has Ollama's own API besides OpenAI's, to describe, load, create and delete models. */
	hasOllamaApi?: boolean;
	/** Whether it has llama-server's own routes: for one model, or as a router, which also loads models. */
	llamaApi?: 'oneModel' | 'router';
	/** For a gateway: the root URL of the server behind it that serves a model. Requests there load the model. */
	modelRoot?(root: string, model: string): string;
	/** Whether an answer is from the gateway, not from a server behind it. */
	isOwnAnswer?(json: unknown): boolean;
	/** Whether it installs and deletes models at `/v1/models/ID`. */
	installsModels?: boolean;
	/** Its own words for what a model is for: in the query for its list, or in each entry. */
	modelUses?: { in: 'query' | 'entry'; name: string; words: Partial<Record<ModelUse, string>> };
	/** For a server without a list: its models, from its other answers. */
	modelsFrom?(answers: ServerAnswers): ServerModel[] | undefined;
	/** Fields that make speed measurements comparable: no early end, no cached prompt. */
	benchmarkFields?: Record<string, unknown>;

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
	/** How to make it parse such tool calls itself. */
	toolParserAdvice(parsers: ToolParsers): string;
	/** Remedy for a stream that ends too early, if this server has a special cause for that. */
	cutStreamRemedy?: string;
	/** Whether a model runs in a cloud, by its name. */
	runsElsewhere?(model: string): boolean;

	/** What the user can do, in sentences. */
	advice: ServerAdvice;
}

/** How to give a server what it lacks. */
export interface ServerAdvice {
	/** It has no models at all. */
	noModels: string;
	/** It does not have this model: an alternative to choosing another. */
	missingModel?(model: string): string;
	embeddingsOff: string;
	rerankOff: string;
	/** Its model cannot hear. */
	transcriptionOff?: string;
	/** One request needs this many tokens of context; `slots`: its slots, which share the context. */
	moreContext(tokens: number, slots?: number): string;
}
