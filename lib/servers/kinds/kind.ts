import type { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { CallAnswer } from '../../http/types';
import type { ServerModel } from '../models';

/** One answer of a server, whatever its status. */
export type ServerAnswer = Omit<CallAnswer, 'url' | 'redirects'>;

/** The routes by which servers are told apart. `models` is below the API's path, the others below the root. */
export type IdentifyingRoute = 'models' | 'apiVersion' | 'version' | 'health' | 'props' | 'info';

/** What a server answered. A route that was not asked, or that nothing answered, is missing. */
export type ServerAnswers = Partial<Record<IdentifyingRoute, ServerAnswer>>;

/** A change of a request that a server accepts where it refused what was sent first. */
export type Workaround =
	| 'withoutStream'
	| 'withoutUsageInStream'
	| 'shortToolIds'
	| 'withoutThinkingSetting'
	| 'lowThinkingEffort'
	/** Without the settings that the refusal names, as long as the answer is what was asked for without them. */
	| 'withoutRefusedFields';

/** A refusal before anything was generated, and what to send instead. */
export interface Refusal {
	/** What its text says. */
	says: RegExp;
	then: Workaround;
	/** For the user, where what was asked for is not what was sent. */
	note?: string;
}

/** The parsers that read the calls of a family of models (lib/chat/answer/text-formats/families.ts). */
export interface ToolParsers {
	vllm?: string;
	sglang?: string;
}

/** A conversation, and what became of it on a server that makes it fit. */
export interface FittedConversation {
	model: string;
	/** Of its texts. */
	characters: number;
	/** Tokens that the server read. */
	promptTokens: number;
	/** Tokens of context that were asked for. */
	contextSize?: number;
}

/** What a model is for. */
export type ModelUse = 'embeddings' | 'reranking' | 'images' | 'transcription' | 'speech';

/** A request below the root of a server. */
export interface RootRequest {
	path: string;
	json: Record<string, unknown>;
}

/** A request whose answer is read; undefined where it is not what the route answers with. */
export interface Question<T> extends RootRequest {
	read(json: unknown): T | undefined;
}

/** A token with what it stands for: a text, or bytes in hexadecimal where it is a part of a character. */
export type Piece = { id: number; piece: string } | { id: number; bytes: string };

export interface Tokenized {
	tokens: number[];
	pieces?: Piece[];
}

/** How a server other than llama-server tells the tokens of a text. */
export interface TokenRoutes {
	tokenize(text: string, options: { model: string; addSpecial: boolean; withPieces: boolean }): Question<Tokenized>;
	detokenize(tokens: readonly number[], model: string): Question<string>;
	/** The number of tokens of a conversation, with the fields of a chat. */
	countPrompt?(chat: Record<string, unknown>, model: string): Question<number>;
}

/** Texts as a server is asked for vectors of them. */
export interface EmbeddingRequest {
	model: string;
	/** Texts, or the tokens of one. */
	input: Array<string | number[]>;
	/** The server shall keep the beginning of a text that is too long. */
	truncate: boolean;
	/** Numbers that a vector should have. */
	dimensions?: number;
	/** How long Ollama keeps the model in memory. */
	keepAlive?: string | number;
}

/** Everything that this package needs to know about a kind of server. One file each; adding a kind is adding a file. */
export interface ServerTraits {
	/** Its name in sentences. */
	label: string;
	/** Whether the answers are those of this kind. Kinds are asked in the order of `kinds/index.ts`. */
	isIt(answers: ServerAnswers): boolean;
	/** Its version, as far as one of the answers names it. */
	version?(answers: ServerAnswers): string | undefined;

	/**
	 * The options beyond OpenAI's API that it honours, by their names in lib/chat/request/samplers.ts; `all`: not known, so
	 * everything that is set is sent.
	 */
	extraFields: 'all' | readonly string[];
	/** Options of lib/chat/request/samplers.ts that only this kind knows (`own` there). */
	ownFields?: readonly string[];
	/** Such options whose field has another name there than on llama-server. */
	fieldNames?: Readonly<Record<string, string>>;
	/** Whether `max_tokens: -1` means no limit. Others refuse it, and have no limit where nothing is sent. */
	takesUnlimited?: boolean;
	/** How a GBNF grammar is sent; undefined: it takes none. */
	grammar?(grammar: string): Record<string, unknown>;
	/** Whether it is known to keep to such a grammar. */
	keepsToGrammar?: boolean;
	/** How a JSON schema is sent, where that is not OpenAI's form. */
	schemaFields?(schema: Record<string, unknown>): Record<string, unknown>;
	/** How thinking is switched on and off: by an argument of the chat template, or by `reasoning_effort`. */
	thinkingSwitch: 'template' | 'effort';
	/** Whether it takes a number of tokens for thinking. */
	thinkingBudget: boolean;
	/** Whether it may end thinking that goes on, when it is told to. Newer versions do. */
	endsThinking?: boolean;
	/** `named`: honours an object that names one tool. `mode`: honours "none" and "required" only. `ignored`: neither. */
	toolChoice: 'named' | 'mode' | 'ignored';
	/** The fields in which it reads thinking of earlier turns. */
	reasoningFields: readonly string[];
	/** Whether it turns JSON schemas into a grammar and refuses what it cannot turn, as llama-server does. */
	schemasBecomeGrammar?: boolean;
	/** Whether it splits thinking off by itself, or sends the opening tag along. */
	splitsThinking?: boolean;
	/** The format in which it lets models write calls that have none of their own (lib/chat/answer/text-formats/). */
	textFormat?: string;
	/** Refusals that only a change of the request gets past. */
	refusals?: readonly Refusal[];

	/** Whether it may keep answers, so that one can be read on after a socket broke. Newer versions do. */
	mayKeepAnswers?: boolean;

	/** Whether models that it lists are in memory. */
	listsLoadedModelsOnly?: boolean;
	/** Whether it answers with its one model, whatever name is asked for. */
	ignoresModelName?: boolean;
	/** Any other request, one for its list of models included, ends the answer that is under way. */
	endsAnswersWhenAsked?: true;
	/** The route below the root that says whether it is well, where that is not `/health`. */
	healthPath?: string;
	/** Whether its list may be empty although it serves a model. */
	mayListNothing?: boolean;
	/** Whether it never asks for a key. */
	wantsNoKey?: boolean;
	/** Whether it takes the key as Bearer only. */
	bearerOnly?: boolean;
	/**
	 * Where the list of models is open to everybody: a route below the root that wants the key and does nothing else.
	 * `json`: sent with POST.
	 */
	guardedRoute?: { path: string; json?: unknown };
	/** How it tells tokens; undefined: as llama-server, or not at all. */
	tokenRoutes?: TokenRoutes;
	/** Its own requests for vectors and scores, which can tell it not to cut a text without a word. */
	embeddingRequest?(request: EmbeddingRequest): RootRequest;
	rerankRequest?(request: { query: string; texts: readonly string[]; truncate: boolean }): RootRequest;
	/** What tells it, in requests of OpenAI's form, to keep the beginning of a text that is too long. */
	truncateFields?: Readonly<Record<string, unknown>>;
	/** Whether it sends vectors in base64, a quarter of the size. Others send floats, or were not seen with it. */
	sendsBase64?: boolean;
	/** Words of its refusals by which it is told where nothing else tells. */
	refusalWords?: RegExp;
	/** The name that it gives itself in the fingerprint of its answers, which gateways pass on. */
	fingerprint?: string;
	/** Whether a model is loaded anew for each size of context. */
	loadsAnewForContext?: boolean;
	/** Whether it has a route for reranking; undefined: not known. */
	reranks?: boolean;
	/** An alias of its API that has no route for reranking. */
	aliasWithoutRerank?: string;
	/** Whether it goes on after a text without a word about the one behind, where it shall fill in. */
	ignoresSuffix?: boolean;
	/** Whether a request for pictures or sound must name a model. */
	mediaNeedsModel?: boolean;
	/** Whether it transcribes at `/inference` below the root rather than at OpenAI's route. */
	transcribesAtInference?: boolean;
	/** Whether it takes pictures as jobs that can be followed and cancelled. */
	hasImageJobs?: boolean;
	/** Whether a request for pictures ends in nothing there, after a long time, so that it is not sent. */
	swallowsImageRequests?: boolean;
	/** Whether it has Ollama's own API beside OpenAI's, by which it describes, loads, makes and deletes models. */
	hasOllamaApi?: boolean;
	/** Whether it has llama-server's own routes: those of its one model, or those of a router, which also loads models. */
	llamaApi?: 'oneModel' | 'router';
	/** Where a gateway has the routes of the server behind it that serves a model. Asking there loads the model. */
	modelRoot?(root: string, model: string): string;
	/** Whether an answer is that of the gateway, and not of a server behind it. */
	isOwnAnswer?(json: unknown): boolean;
	/** Whether it installs and deletes models at `/v1/models/ID`. */
	installsModels?: boolean;
	/** Its own words for what a model is for: in the query of its list, or in each entry. */
	modelUses?: { in: 'query' | 'entry'; name: string; words: Partial<Record<ModelUse, string>> };
	/** The models of a server that has no list, from what else it answers. */
	modelsFrom?(answers: ServerAnswers): ServerModel[] | undefined;
	/** Fields that make a speed measurement comparable: no early end, no prompt out of the cache. */
	benchmarkFields?: Record<string, unknown>;

	/** Refuses pictures before they are sent to a model that cannot see, where the server would not say so. */
	refuseUnseenPictures?(connection: Connection, model: string, signal?: AbortSignal): Promise<void>;
	/** A remark where the server left out the beginning of a conversation without a word. */
	remarkOnDroppedMessages?(
		connection: Connection,
		conversation: FittedConversation,
		signal?: AbortSignal,
	): Promise<string | undefined>;
	/** Why an answer is empty, where the server cut a message that does not fit without a word. */
	explainEmptyAnswer?(
		connection: Connection,
		conversation: FittedConversation,
		signal?: AbortSignal,
	): Promise<ServerError | undefined>;
	/** How it is made to read such calls by itself. */
	toolParserAdvice(parsers: ToolParsers): string;
	/** What to do where a stream ends too early, if that has a cause of its own there. */
	cutStreamRemedy?: string;
	/** Whether a model runs on machines of others, by its name. */
	runsElsewhere?(model: string): boolean;

	/** What to do there, in sentences for the user. */
	advice: ServerAdvice;
}

/** How a server gets what it lacks. */
export interface ServerAdvice {
	/** It has no models at all. */
	noModels: string;
	/** It does not have this one: a further way beside choosing another. */
	missingModel?(model: string): string;
	embeddingsOff: string;
	rerankOff: string;
	/** Its model cannot hear. */
	transcriptionOff?: string;
	/** One request needs this many tokens of context; `slots`: its slots, which share the context. */
	moreContext(tokens: number, slots?: number): string;
}
