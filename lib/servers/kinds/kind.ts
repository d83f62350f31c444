import type { FailureKind } from '../../errors/kinds';
import type { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { CallAnswer } from '../../http/types';
import type { ServerModel } from '../models';
import type {
	Adapter,
	Change,
	ChangeOptions,
	Created,
	CreateOptions,
	ModelQuestion,
	Pulled,
	PullOptions,
	SlotAction,
	SlotOptions,
	SlotResult,
} from './work';

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

/** How a server words that it refuses a request, before it generates anything, and the workaround. */
export interface KnownRefusal {
	/** Pattern for its text. */
	says: RegExp;
	then: Workaround;
	/** A note for the user, if the request no longer does exactly what was set. */
	note?: string;
}

/**
 * Names of the server-side parsers for the tool calls of a family of models (lib/chat/text-formats/families.ts).
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
	/** Tokens that it should have at least, by earlier prompts. */
	leastTokens?: number;
}

/** What a model is for. */
export type ModelUse = 'embeddings' | 'reranking' | 'images' | 'transcription' | 'speech';

/** A request below the root of a server. */
export interface RootRequest {
	path: string;
	json: Record<string, unknown>;
}

/** A token with its text, or with its bytes in hexadecimal if it is a part of a character. */
export type Piece = { id: number; piece: string } | { id: number; bytes: string };

export interface Tokenized {
	tokens: number[];
	pieces?: Piece[];
}

export interface TokenizeOptions extends ModelQuestion {
	/** Add the tokens that the model expects around every text. */
	addSpecial: boolean;
	/** Read `<|im_start|>` in the text as the special token, not as characters. */
	parseSpecial: boolean;
	withPieces: boolean;
}

/** Text, pictures and sound for one vector, in the parts of a chat message. */
export interface MixedContent {
	content: object[];
}

/** A request for embeddings. */
export interface EmbeddingRequest {
	model: string;
	/** Each entry is a text, the tokens of a text, or a text with pictures and sound. */
	input: Array<string | number[] | MixedContent>;
	/** Whether the server shall cut texts that are too long, keeping the beginning. */
	truncate: boolean;
	/** Requested length of the vectors. */
	dimensions?: number;
	/** How long Ollama keeps the model in memory. */
	keepAlive?: string | number;
}

/** Everything that this package knows about a kind of server, one file per kind. What is missing is not supported. */
export interface ServerKind {
	/** The server's name in sentences. */
	label: string;
	/** Whether the answers are from this kind. Kinds are tested in the order of `kinds/index.ts`. */
	recognizes(answers: ServerAnswers): boolean;
	/** The server's version, if one of the answers contains it. */
	version?(answers: ServerAnswers): string | undefined;
	/** What identifies it in answers that gateways and proxies pass on. */
	signs?: {
		/** The `system_fingerprint` of its answers. */
		fingerprint?: string;
		/** Text of its refusals. */
		refusal?: RegExp;
		/** Its answers may have the signs of servers behind it. */
		passesOnOthers?: true;
	};
	/** It has all routes whatever its model is for: where one is missing, the address is wrong. */
	hasEveryRoute?: true;
	/** Sentences about it for users. */
	words: ServerWords;
	key?: {
		/** It never asks for a key. */
		isNeverNeeded?: true;
		/** It takes the key only as Bearer token. */
		bearerOnly?: true;
	};
	chat: ChatAbilities;
	completion: CompletionAbilities;
	models: ModelAbilities;
	tokens?: TokenAbilities;
	slots?: SlotAbilities;
	adapters?: AdapterAbilities;
	embeddings: EmbeddingAbilities;
	rerank: RerankAbilities;
	media: MediaAbilities;
	decisions?: DecisionAbilities;
	health: HealthAbilities;
}

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
		fields(grammar: string): Record<string, unknown>;
		/** It is known to enforce such a grammar. */
		isEnforced?: true;
	};
	schema?: {
		/** The fields for a JSON schema, if not in OpenAI's form. */
		fields?(schema: Record<string, unknown>): Record<string, unknown>;
		/** It is known to enforce schemas. */
		isEnforced?: true;
		/** It converts schemas to a grammar, and refuses what it cannot convert. */
		becomesGrammar?: true;
	};
	thinking: {
		/**
		 * How thinking is switched on and off: by an argument of the chat template, by `reasoning_effort`, by
		 * `enable_thinking` in the request, or not at all.
		 */
		switch: 'template' | 'effort' | 'field' | 'none';
		/** It takes a token budget. */
		hasBudget?: true;
		/** It may have a route that ends thinking in a running answer. Newer versions do. */
		endsOnRequest?: true;
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
	/** It may store answers, so that reading one can resume after a lost connection. Newer versions do. */
	mayResumeAnswers?: true;
	/** It reloads a model for each new context size. */
	reloadsForContext?: true;
	/** The answer that contains the model's chat template. Loads nothing. */
	template?(connection: Connection, model: string): Promise<unknown>;
	/**
	 * Which of the texts the model's vocabulary has as control tokens; undefined if that cannot be told. Cached. Only for
	 * models with a known template, which are loaded.
	 */
	controlTokens?(
		connection: Connection,
		model: string,
		texts: readonly string[],
	): Promise<string[] | undefined>;
	/** Set options that have no effect in this server's setup. The server is asked only if one is set. */
	ineffectiveOptions?(
		connection: Connection,
		model: string,
		options: SetOptions,
	): Promise<{ without: Array<keyof SetOptions>; notes: string[] }>;
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

/** Options that may have no effect. */
export interface SetOptions {
	cacheReuse?: number;
	lora?: ReadonlyArray<{ id: number }>;
}

/** A route for completions: OpenAI's below the API's path, the others below the root. */
export type CompletionRoute = '/completions' | '/completion' | '/infill' | '/api/generate';

export interface CompletionAbilities {
	/** The best route to continue a prompt. */
	prompt: CompletionRoute;
	/** The best route to fill in a gap. */
	fillIn: CompletionRoute;
	/** It silently ignores `suffix`. */
	ignoresSuffix?: true;
}

/** The list of models, and what can be done with one. */
export interface ModelAbilities {
	/** All listed models are in memory. */
	areAllLoaded?: true;
	/** It answers with its one model, whatever name is requested. */
	ignoresName?: true;
	/** Its list may be empty although it serves a model. */
	mayListNone?: true;
	/** It has no list. */
	isUnlisted?: true;
	/** The list says how each model was started, and so what it is for. */
	listStatesPurpose?: true;
	/** For a server without a list: its models, from its other answers. */
	fromAnswers?(answers: ServerAnswers): ServerModel[] | undefined;
	/** Its own words for what a model is for: in the query for its list, or in each entry. */
	uses?: { in: 'query' | 'entry'; name: string; words: Partial<Record<ModelUse, string>> };
	/** Whether an ID and a name mean the same model, beyond equality. */
	isSameName?(id: string, name: string): boolean;
	/** Its own list of models, with more details than OpenAI's; undefined if it has none. */
	list?(connection: Connection, signal?: AbortSignal): Promise<ServerModel[] | undefined>;
	/** Adds details to the models of OpenAI's list. */
	withDetails?(
		connection: Connection,
		models: ServerModel[],
		signal?: AbortSignal,
	): Promise<ServerModel[]>;
	/** Adds what each model is for. */
	withPurposes?(
		connection: Connection,
		models: readonly ServerModel[],
		signal?: AbortSignal,
	): Promise<ServerModel[]>;
	/** Everything that it tells about one model. `find` gives its entry of the list, or throws. Loads nothing. */
	describe?(
		connection: Connection,
		ask: { model: string; find(): Promise<ServerModel>; signal?: AbortSignal },
	): Promise<object>;
	load?(connection: Connection, options: ChangeOptions): Promise<Change>;
	unload?(connection: Connection, options: ChangeOptions): Promise<Change>;
	pull?(connection: Connection, options: PullOptions): Promise<Pulled>;
	create?(connection: Connection, options: CreateOptions): Promise<Created>;
	copy?(connection: Connection, options: ModelQuestion & { copy: string }): Promise<void>;
	remove?(connection: Connection, options: ModelQuestion): Promise<void>;
}

export interface TokenAbilities {
	/** `count`: from servers that return no tokens. Both are undefined if the answer cannot be read. */
	tokenize(
		connection: Connection,
		text: string,
		ask: TokenizeOptions,
	): Promise<Partial<Tokenized> & { count?: number }>;
	/** Undefined if the answer cannot be read. */
	detokenize(
		connection: Connection,
		tokens: readonly number[],
		ask: ModelQuestion,
	): Promise<string | undefined>;
	/** Counts the prompt tokens of a chat request. */
	countPrompt?(
		connection: Connection,
		chat: Record<string, unknown>,
		ask: ModelQuestion,
	): Promise<number | undefined>;
	/** The prompt that the chat template makes. */
	applyTemplate?(
		connection: Connection,
		chat: Record<string, unknown>,
		ask: ModelQuestion,
	): Promise<string | undefined>;
	/** Texts that are too long can be cut by tokens: these are the tokens of its one model, whatever name is given. */
	areOfOneModel?: true;
}

/** The prompt caches of slots on disk. */
export interface SlotAbilities {
	change(connection: Connection, action: SlotAction, options: SlotOptions): Promise<SlotResult>;
	/** The number of slots, which shows how many requests run at once; undefined if it does not tell. */
	count?(connection: Connection, timeoutMs: number): Promise<number | undefined>;
}

/** LoRA adapters. */
export interface AdapterAbilities {
	list(connection: Connection, ask: ModelQuestion): Promise<Adapter[]>;
	set(
		connection: Connection,
		scales: ReadonlyArray<{ id: number; scale: number }>,
		ask: ModelQuestion,
	): Promise<Adapter[]>;
}

export interface EmbeddingAbilities {
	/** Its own request, which can turn off silent cutting of texts. */
	request?(request: EmbeddingRequest): RootRequest;
	/** Fields that make it cut texts that are too long, in requests of OpenAI's form. */
	truncateFields?: Readonly<Record<string, unknown>>;
	/** It refuses texts that are too long, unless told to cut them. Others may cut them silently. */
	refusesLongTexts?: true;
	/** It may have models that make vectors of pictures and sound, too. */
	takesMedia?: true;
	/** It can send vectors in base64, a quarter of the size. Others send floats, or were not tested. */
	base64?: true;
}

export interface RerankAbilities {
	/** It has no route for reranking. */
	isMissing?: true;
	/** An alias of its API (end of the URL) that has no route for reranking. */
	aliasWithoutRoute?: string;
	/** Its own request. */
	request?(request: { query: string; texts: readonly string[]; truncate: boolean }): RootRequest;
	/** As for embeddings. */
	truncateFields?: Readonly<Record<string, unknown>>;
}

/** A task with pictures or sound. */
export type MediaTask = 'images' | 'transcription' | 'speech';

export interface MediaAbilities {
	/** Tasks that it is known for: named to users of servers that lack them. */
	knownFor?: readonly MediaTask[];
	/** Requests must name a model. */
	needsModel?: true;
	/** Its list of voices is that of one model. */
	voicesNeedModel?: true;
	/** It has a list of voices. */
	hasVoices?: true;
	/** Its transcription route is `/inference` below the root, not OpenAI's. */
	transcribesAtInference?: true;
	/** Its 404 for transcriptions is final: no other route is tried. */
	hasNoInference?: true;
	/** It makes pictures in jobs that can be followed and cancelled. */
	hasImageJobs?: true;
	/** It answers requests for pictures with nothing after a long time, so that none is sent. */
	swallowsImageRequests?: true;
}

/** Typed questions that a decision model answers with probabilities (docs/protocols/llama-server-new.md 8). */
export interface DecisionAbilities {
	url(connection: Connection, model: string): string;
	/** It drops pictures and sound, and answers about the text alone. */
	ignoresMedia?: true;
}

export interface HealthAbilities {
	/** The health route below the root, if not `/health`. */
	path?: string;
	/**
	 * If the list of models needs no key: a route below the root that needs the key and has no effect. `json`: sent with
	 * POST.
	 */
	guardedRoute?: { path: string; json?: unknown };
	/** Any other request, also one for its list of models, ends the running answer. */
	otherRequestsEndAnswers?: true;
	/** Fields that make speed measurements comparable: no early end, no cached prompt. */
	benchmarkFields?: Readonly<Record<string, unknown>>;
	/**
	 * Where it reports its work: `/props`, `/metrics` and `/slots` of the `server`, the same for each model's `process`,
	 * or native lists of `models`.
	 */
	reports?: 'server' | 'process' | 'models';
}

/** What users are told about a kind of server, in whole sentences. */
export interface ServerWords {
	/** What to do about failures, where the general advice is for other servers. */
	remedies?: Readonly<Partial<Record<FailureKind, string>>>;
	/** It has no models at all. */
	noModels: string;
	/** It does not have this model: an alternative to choosing another, in lower case. */
	missingModel?(model: string): string;
	embeddingsOff: string;
	rerankOff: string;
	/** Its model cannot hear. */
	transcriptionOff?: string;
	/** One request needs this many tokens of context; `slots`: its slots, which share the context. */
	moreContext(tokens: number, slots?: number): string;
	/** How to make it answer so many requests at once. */
	answerAtOnce?(count: number): string;
	/** How to make it take longer texts for vectors and scores. */
	longerTexts?: string;
	/** How to make it parse tool calls itself. */
	parseTools(parsers: ToolParsers): string;
	/** Remedy for a stream that ends too early, if this server has a special cause for that. */
	cutStream?: string;
	/** It cannot load models on request: a way to make it able to. */
	loadsNone?: string;
	/** Its chat template ignores tools, so the model was not told about them. */
	toolsDropped: string;
}
