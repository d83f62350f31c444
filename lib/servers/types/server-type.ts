/** A server type: its capabilities and fields. */
import type { ServerTypeName } from '../../server-type-name';
import type { ExecutionMemory } from '../execution-memory';
import type { TimeLimit } from '../time-limit';
import type { ServerTexts } from '../../errors/chapters/server-texts';
import type { Endpoint } from '../../http/types';
import type { ServerModel } from '../server-model';
import type { ThinkingKey } from '../template-arguments';
import type { JsonRecord } from '../../values/records';

/** Types that can be selected in the credential. The others are recognized, and need nothing that `other` lacks. */
export const SELECTABLE_SERVER_TYPES = [
	'llamaServer',
	'ollama',
	'vllm',
	'other',
] as const satisfies readonly ServerTypeName[];

/** A type in the list of the credential. */
export type SelectableServerType = (typeof SELECTABLE_SERVER_TYPES)[number];

/** Routes that are known (`lib/exchange/routes.ts`). */
export type RouteName =
	| 'openAiChat'
	| 'ollamaChat'
	| 'openAiCompletions'
	| 'ollamaGenerate'
	| 'openAiEmbeddings'
	| 'ollamaEmbed'
	| 'rerank'
	| 'rootRerank'
	| 'transcriptions'
	| 'translations'
	| 'speech'
	| 'images'
	| 'imageEdits'
	| 'systemOne';

/** Tasks with several routes. */
export type RoutedTask = 'chat' | 'complete' | 'embed' | 'rerank';

/** A model server: an endpoint with a server type. */
export interface ModelServer extends Endpoint {
	/** The type selected in the credential; undefined: Automatic. */
	readonly configuredType?: ServerTypeName;
	/** The current URL of the API: without a version, if a request found it there. */
	getApiUrl(): string;
	/** What the execution has learned. */
	readonly memory: ExecutionMemory;
	/** The helpers of the node's context, from which tracing gets the node's span. */
	readonly n8nHelpers?: object;
}

/** One response of a server, whatever its status. */
export interface ProbeResponse {
	status: number;
	/** Names in lower case. */
	headers: Record<string, string>;
	/** After redirects. */
	finalUrl: string;
	/** The body, with secrets masked. */
	text: string;
	/** The body; undefined if it is not JSON. */
	json: unknown;
}

/** The responses that identify a server. */
export interface IdentityResponses {
	/** Response to `GET /v1/models`. */
	models?: ProbeResponse;
	/** Response to `GET /api/version`, which is sent only if the list is not conclusive. */
	apiVersion?: ProbeResponse;
}

/** The properties that a server reports about itself and its model. */
export interface ServerProps extends Partial<ServerModel> {
	/** Concurrent generations. */
	slots?: number;
	/** Arguments of its chat template that turn the thinking on or off. */
	thinkingKeys?: readonly ThinkingKey[];
}

/** The task that models are listed for. */
export type ModelTask =
	| 'chat'
	| 'classification'
	| 'decisions'
	| 'embeddings'
	| 'reranking'
	| 'images'
	| 'transcription'
	| 'speech';

/** What can be done to a model on its server. `remove` deletes its files. */
export type ModelAction = 'load' | 'unload' | 'pull' | 'remove';

/** What an action did. */
export interface ModelActionResult {
	/** Its name on the server, if an alias was sent. */
	model?: string;
	/** The state of a model that was loaded or unloaded. */
	before?: string;
	/** The state now; after a download `success`, or `downloading` without waiting. */
	state?: string;
	/**
	 * After unloading from a router: whether it was certain that no request was running. False: the server
	 * does not show that.
	 */
	wasIdle?: boolean;
	/** Whether anything was downloaded. */
	changed?: boolean;
	/** Bytes of the model. */
	size?: number;
	/** Bytes that were downloaded now. */
	downloaded?: number;
	/** Set after `remove`. */
	deleted?: true;
}

/** One line of progress. */
export interface PullProgress {
	status: string;
	/** The layer that is being downloaded. */
	digest?: string;
	/** Bytes of the layer. */
	total?: number;
	/** Bytes of it that have arrived. */
	completed?: number;
}

/** How an action is done. */
export interface ModelActionOptions {
	/** Name of the model, or what to download. */
	model: string;
	signal?: AbortSignal;
	/** Wait until it is done. Ollama's requests always wait. */
	wait: boolean;
	/** Total milliseconds; for a download, milliseconds without progress. 0: no limit. */
	timeoutMs: number;
	/** Unload a model even if it is generating. */
	isForced?: boolean;
	/** Ollama: download also from a registry without TLS. */
	insecure?: boolean;
	/** Called with the progress of a download. */
	onProgress?(progress: PullProgress): Promise<void> | void;
}

/** An action that has begun. */
export interface RunningAction extends ModelActionOptions {
	/** The rest of the timeout of a load or an unload, for all its requests together. */
	limit: TimeLimit;
}

/** Actions on models. Missing ones are not supported. */
export type ModelActions = Partial<
	Record<ModelAction, (server: ModelServer, action: RunningAction) => Promise<ModelActionResult>>
>;

/** How facts are requested. */
export interface QueryOptions {
	signal?: AbortSignal;
	/** Of each request, in milliseconds. Default: 10 s. */
	timeoutMs?: number;
}

/** Requests facts about a model. */
type ModelQuery<Facts> = (
	server: ModelServer,
	model: string,
	options?: QueryOptions,
) => Promise<Facts>;

/** How thinking is controlled. */
export interface ThinkingControl {
	/** What turns it on and off: arguments of the chat template, an effort, or nothing. */
	switch: 'template' | 'effort' | 'none';
	/** Fields for a maximum of tokens, if any; a gateway passes each on to the server that reads it. */
	budgetFields: readonly string[];
	/** Efforts that its own route lacks, and the nearest that it has. */
	nearestEfforts?: Readonly<Partial<Record<string, string>>>;
}

/** One row of the table of server types. Callers check a member, never a name. */
export interface ServerType {
	name: ServerTypeName;
	/** The server's name in sentences. */
	label: string;
	/** Names of the options that it supports beyond OpenAI's, as in `GENERATION_OPTIONS`; `all`: whatever is set. */
	supportedFields: 'all' | readonly string[];
	/** Its routes for a task, best first, if OpenAI's are not the only ones. */
	routes?: Readonly<Partial<Record<RoutedTask, readonly RouteName[]>>>;
	thinking: ThinkingControl;
	/** Options whose field has another name than on llama-server. */
	fieldNames?: Readonly<Record<string, string>>;
	/** `max_tokens: -1` means no limit. Others reject it, and apply no limit if nothing is sent. */
	supportsUnlimitedTokens?: true;
	/** The fields of a message from which it reads the thinking of earlier turns. */
	reasoningFields: readonly string[];
	/** The fields for a GBNF grammar; undefined: not supported. */
	toGrammarFields?(grammar: string): JsonRecord;
	/** Where JSON schemas are compiled to a grammar. Schemas that it cannot compile are rejected, or crash it. */
	compilesSchemas?: 'formats' | 'formatsAndTools';
	/** `named`: follows an object that names one tool. `mode`: follows "none" and "required" only. `ignored`: neither. */
	toolChoiceSupport: 'named' | 'mode' | 'ignored';
	/** The type of a video content part; undefined: not supported. */
	videoPartType?: 'input_video' | 'video_url';
	/** With a single model, it ignores the sent name (docs/protocols/llama-server.md 4.3). */
	ignoresModelName?: true;
	/** It passes requests to other servers: their models have other names, and `GET /health` may send requests to them. */
	isGateway?: true;
	/** It has every route, whatever its models support: a missing one means a wrong path. */
	hasEveryRoute?: true;
	/** Tokens of context that a model runs with, if the server silently truncates longer conversations. */
	getTruncationLimit?: ModelQuery<number | undefined>;
	/** Whether a model runs in the cloud of the maker, by its name. */
	isCloudModel?(model: string): boolean;
	/** A warning about a model, by its name. */
	getModelWarning?(model: string): string | undefined;
	/** Fields of a request that measures its speed: no early end, no cache. */
	benchmarkFields?: Readonly<JsonRecord>;
	/** Its list does not say which models only decide, but the facts about one do. */
	listsNoDecisions?: true;
	/** Neither loads nor wakes a model. Undefined if the server reports nothing. */
	fetchProps?: ModelQuery<ServerProps | undefined>;
	/** The facts about one model; undefined if it does not respond. Neither loads nor wakes it. `Profile.fetchModelFacts` keeps them. */
	fetchModel?: ModelQuery<ServerModel | undefined>;
	/** The facts about one model have the tokens of its chat template. Otherwise, only the properties may have them. */
	showsTemplate?: true;
	/** Adds facts of one more request to listed models. */
	enrichModels?(
		server: ModelServer,
		models: ServerModel[],
		options?: QueryOptions,
	): Promise<ServerModel[]>;
	/** Queries that reduce its list to the models for a task. */
	listQueries?: Readonly<Partial<Record<ModelTask, string>>>;
	/** It also sends vectors in base64: a quarter of the size. */
	supportsBase64?: true;
	/** Whether two names mean the same model. */
	isSameModel?(id: string, name: string): boolean;
	/** Undefined: it manages no models. */
	modelActions?: ModelActions;
	texts: ServerTexts;
}
