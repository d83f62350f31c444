/** What this package knows about a kind of server. */
import type { ErrorType } from '../../errors/error-types';
import type { Endpoint } from '../../http/types';
import type { ServerModel } from '../models';
import type { JsonRecord } from '../../values';

export type ServerTypeName =
	| 'gpustack'
	| 'litellm'
	| 'llamaServer'
	| 'ollama'
	| 'vllm'
	| 'lmStudio'
	| 'other';

/** A model server: an address with headers, a queue, and what is known of it. */
export interface ModelServer extends Endpoint {
	/** The kind that the credential names; undefined: Automatic. */
	readonly configuredType?: ServerTypeName;
	/** The helpers of the node's context, from which tracing gets the node's span. */
	readonly host?: object;
}

/** One answer of a server, whatever its status. */
export interface ProbeResponse {
	status: number;
	/** Names in lower case. */
	headers: Readonly<Record<string, string>>;
	text: string;
	json: unknown;
}

/** What a server answered to the questions that identify it. */
export interface IdentityResponses {
	/** Of `GET /v1/models`. */
	models?: ProbeResponse;
	/** Of `GET /api/version`, which is asked only where the list settles nothing. */
	version?: ProbeResponse;
}

/** What a server tells about itself and its model. */
export interface ServerProps {
	/** Generations at once. */
	slots?: number;
	/** Tokens of context of one slot. */
	context?: number;
	/** Whether its chat template takes tools. */
	supportsTools?: boolean;
	vision?: boolean;
	audio?: boolean;
	/** The chat template. */
	template?: string;
	/** The model sleeps, and wakes with the next request. */
	isSleeping?: boolean;
	/** The whole answer. */
	all: JsonRecord;
}

/** What a list of models may be for. */
export type ModelTask = 'chat' | 'embeddings' | 'reranking' | 'images' | 'transcription' | 'speech';

/** The state of a model before and after. */
export interface ModelStateChange {
	/** Its name on the server, where an alias was given. */
	model: string;
	before: string;
	state: string;
	/**
	 * After unloading from a router: whether it was certain that no answer was running. False: the server
	 * does not show that.
	 */
	wasIdle?: boolean;
}

/** One line of progress. */
export interface PullProgress {
	status: string;
	/** The layer that is being downloaded. */
	digest?: string;
	/** Bytes of the layer. */
	total?: number;
	completed?: number;
}

export interface PullResult {
	/** `success`, or `downloading` without waiting. */
	state: string;
	/** Whether anything was downloaded; undefined if unknown. */
	changed?: boolean;
	/** Bytes of the model, and bytes downloaded now. */
	size?: number;
	downloaded?: number;
}

export interface ModelActionOptions {
	model: string;
	signal?: AbortSignal;
	/** Wait until it is done. Ollama's requests last as long as their work. */
	wait: boolean;
	/** Milliseconds for all of it; of a download, without progress. 0: no limit. */
	timeoutMs: number;
}

export interface LoadOptions extends ModelActionOptions {
	/** Unload a model although it is answering. */
	isForced?: boolean;
}

export interface PullOptions extends ModelActionOptions {
	/** Ollama: allow a registry without TLS. */
	insecure?: boolean;
	onProgress?(progress: PullProgress): Promise<void> | void;
}

/** Actions on models. What is missing is not supported. */
export interface ModelActions {
	load?(server: ModelServer, options: LoadOptions): Promise<ModelStateChange>;
	unload?(server: ModelServer, options: LoadOptions): Promise<ModelStateChange>;
	pull?(server: ModelServer, options: PullOptions): Promise<PullResult>;
	remove?(server: ModelServer, options: ModelActionOptions): Promise<void>;
}

/** Whole sentences about a kind of server. */
export interface ServerTexts {
	/** It has no models at all. */
	noModels: string;
	/** It does not have this model: an alternative to choosing another, in lower case. */
	missingModel?(model: string): string;
	/** One request needs this many tokens of context; `slots` share it. */
	context(tokens: number, slots?: number): string;
	/** How to make it take tools, and read the calls of its models. */
	tools: string;
	/** How to make it take longer texts for vectors and rankings. */
	longerTexts?: string;
	/** How to make it give vectors. */
	embeddings: string;
	/** How to make it rerank. */
	rerank: string;
	/** Which servers make pictures, transcribe and speak. */
	images: string;
	transcription: string;
	speech: string;
	/** It cannot load models on request: how to make it able to. */
	noModelActions?: string;
	/** What to do about failures, where the general advice is for other servers. */
	suggestions?: Readonly<Partial<Record<ErrorType, string>>>;
}

/** One row of the table of servers. Callers ask for a member, never for a name. */
export interface ServerType {
	/** The server's name in sentences. */
	label: string;
	/** The fields that it takes beyond OpenAI's. */
	supportedFields: 'all' | readonly string[];
	/** The API of its own that has options which the one of OpenAI lacks. */
	nativeApi?: 'ollama';
	/** How thinking is switched: by the chat template, by an effort, not at all. */
	thinkingSwitch: 'template' | 'effort' | 'none';
	/** Options whose field has another name than on llama-server. */
	fieldNames?: Readonly<Record<string, string>>;
	/** `max_tokens: -1` means no limit. Others refuse it, and apply no limit if nothing is sent. */
	supportsUnlimitedTokens?: true;
	/** It takes a budget of tokens for thinking. */
	supportsThinkingBudget?: true;
	/** The fields of a message from which it reads the thinking of earlier turns. */
	reasoningFields: readonly string[];
	/** The fields for a GBNF grammar; undefined: it takes none. */
	toGrammarFields?(grammar: string): JsonRecord;
	/** What it turns JSON schemas of into a grammar. What it cannot turn it refuses, or dies of. */
	compilesSchemas?: 'formats' | 'formatsAndTools';
	/** `named`: follows an object that names one tool. `mode`: follows "none" and "required" only. `ignored`: neither. */
	toolChoiceSupport: 'named' | 'mode' | 'ignored';
	/** The type of a message's part that holds a video; undefined: it takes none. */
	videoPartType?: 'input_video' | 'video_url';
	/** Alone, it answers with its only model, whatever name is sent (docs/protocols/llama-server.md 4.3). */
	ignoresModelName?: true;
	/** It has every route, whatever its models are for: a missing one is a wrong path. */
	hasEveryRoute?: true;
	/** Tokens of context that a model runs with, where the server cuts longer conversations without a word. */
	getTruncationLimit?(
		server: ModelServer,
		model: string,
		signal?: AbortSignal,
	): Promise<number | undefined>;
	/** What the user should know of a model by its name. */
	getModelWarning?(model: string): string | undefined;
	/** Fields of a request that measures its speed: no early end, no cache. */
	benchmarkFields?: Readonly<JsonRecord>;
	/** Neither loads nor wakes a model. Undefined where the server tells nothing. */
	fetchProps?(
		server: ModelServer,
		model?: string,
		signal?: AbortSignal,
	): Promise<ServerProps | undefined>;
	/** What it tells of one model. A blind one may invent what it sees. */
	fetchModel?(server: ModelServer, model: string, signal?: AbortSignal): Promise<ServerModel>;
	/** Adds to listed models what one more request tells. */
	enrichModels?(
		server: ModelServer,
		models: ServerModel[],
		signal?: AbortSignal,
	): Promise<ServerModel[]>;
	/** The models that its list marks for a use: the query of the list, and the word for each use. */
	modelCategories?: { query: string; words: Readonly<Partial<Record<ModelTask, string>>> };
	/** It sends vectors in base64, too: a quarter of the size. */
	supportsBase64?: true;
	/** It has no route that ranks. */
	cannotRerank?: true;
	/** Whether two names mean the same model. */
	isSameModel?(id: string, name: string): boolean;
	modelActions?: ModelActions;
	texts: ServerTexts;
}
