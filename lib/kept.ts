/**
 * Everything that is kept beyond one call: who writes it, who reads it, for how long, why it may be shared, and what ends it. A
 * store is created by its name in this table only. Each process has its own, including each worker of n8n's queue mode, so
 * everything must work without it, too.
 *
 * Words of a response are read within the execution that got it. What outlives an execution is what the node itself sent or
 * observed: a visitor or a model can write any sentence, and no status, header, list or limit of the server.
 */
import { LruCache, TTL_MS } from './lru-cache';

/** The names of all that is kept. */
export type KeptName =
	| 'serverFacts'
	| 'contradictions'
	| 'props'
	| 'modelFacts'
	| 'templateTokens'
	| 'apiRoots'
	| 'nativeAddresses'
	| 'routes'
	| 'historyForms'
	| 'contextSizes'
	| 'reasoningStarts'
	| 'waitsInVain'
	| 'learnedLimits'
	| 'answeredOrigins'
	| 'toolCalls'
	| 'convertedSchemas'
	| 'executions'
	| 'lessons'
	| 'lastingFailures'
	| 'batches'
	| 'resolvedModels'
	| 'difyLookups';

/** Who reads what was kept. */
export type KeptScope =
	/** All executions of the process that use the same server, which is an address with a credential; or the same call. */
	| 'process'
	/** One execution of a workflow. */
	| 'execution'
	/** One run of a node: it ends with its server. */
	| 'run';

/** What is kept under a name. */
export interface KeptRow {
	scope: KeptScope;
	/** What its entries belong to. */
	keys: string;
	/** Which observation writes it. */
	writtenBy: string;
	/** Milliseconds after which an entry ends: since it was written; of an execution, since its last use. */
	ttlMs: number;
	/** Whether a read entry lasts as long again. Default: no. */
	isRenewedByUse?: boolean;
	/** The least recently used entry makes room. */
	maxEntries: number;
	/** Memory of all entries. Default: no limit. */
	maxBytes?: number;
	/** Why others may read it. */
	sharedBecause: string;
	/** What ends it before its time. */
	forgottenBy: string;
}

/** Milliseconds after the last use of a call: then no server has the prompt in its cache either. */
const TOOL_CALL_MS = 60 * 60_000;

/** About a thousand calls of a long answer each, with two for each character. */
const TOOL_CALL_BYTES = 16 * 1024 * 1024;

const MEGABYTE = 1024 * 1024;

/** Servers, executions, or other names that come from outside. */
const MANY = 1_000;

/** Models of one server, or tasks with them. */
const SOME = 50;

/** A row for each name. */
export const KEPT: Readonly<Record<KeptName, KeptRow>> = {
	serverFacts: {
		scope: 'process',
		keys: 'server',
		writtenBy: 'its list of models and the routes that identify its type; for ten minutes each',
		ttlMs: Infinity,
		maxEntries: MANY,
		sharedBecause:
			'the server gave them for requests of the node itself, which contain nothing of a workflow',
		forgottenBy:
			'a response with a header of another type; if the next identification fails, the last type stays',
	},
	contradictions: {
		scope: 'process',
		keys: 'server, its type, and the type that a response showed',
		writtenBy: 'a response with a header of another type',
		ttlMs: TTL_MS,
		maxEntries: SOME,
		sharedBecause: 'it only prevents a second identification',
		forgottenBy: 'nothing',
	},
	props: {
		scope: 'process',
		keys: 'server and model',
		writtenBy: 'the route with the properties of a model: slots, context, template',
		ttlMs: TTL_MS,
		maxEntries: SOME,
		sharedBecause: 'the server gave them for requests of the node itself',
		forgottenBy: 'a change of the type, and commands to load or unload a model',
	},
	modelFacts: {
		scope: 'process',
		keys: 'server and model',
		writtenBy: 'the route with the facts about one model: capabilities, context, what it generates',
		ttlMs: TTL_MS,
		maxEntries: SOME,
		sharedBecause: 'the server gave them for requests of the node itself',
		forgottenBy: 'a change of the type, and commands to load or unload a model',
	},
	templateTokens: {
		scope: 'process',
		keys: 'server and model',
		writtenBy: "the tokens in a model's chat template, or that it is not known",
		ttlMs: TTL_MS,
		maxEntries: SOME,
		sharedBecause: 'the server gave them for requests of the node itself',
		forgottenBy: 'a change of the type',
	},
	apiRoots: {
		scope: 'process',
		keys: 'server',
		writtenBy: 'a list of models at the address without a version',
		ttlMs: TTL_MS,
		maxEntries: MANY,
		sharedBecause: 'a list has models, and a gateway that restarts has none',
		forgottenBy: 'the first failure there, and a list at the typed address',
	},
	nativeAddresses: {
		scope: 'process',
		keys: 'server',
		writtenBy: 'a list of models at the native route, where the typed address has none',
		ttlMs: TTL_MS,
		maxEntries: MANY,
		sharedBecause: 'the typed address has no other meaning',
		forgottenBy: 'nothing',
	},
	routes: {
		scope: 'process',
		keys: 'server, task and model',
		writtenBy: 'a route with 404 or 405, after which another one accepted the request',
		ttlMs: TTL_MS,
		maxEntries: SOME,
		sharedBecause: 'a status says it, and the task was done elsewhere',
		forgottenBy: 'a change of the type',
	},
	historyForms: {
		scope: 'process',
		keys: 'server, task and model',
		writtenBy:
			'the same bytes refused twice alike, without a word about a field, and another form of the history accepted',
		ttlMs: TTL_MS,
		maxEntries: SOME,
		sharedBecause:
			'no word decided, and a failure by chance does not come twice; with Retries 0 and with files, nothing is sent twice, so nothing is written',
		forgottenBy: 'a change of the type',
	},
	contextSizes: {
		scope: 'process',
		keys: 'server and model',
		writtenBy:
			'each request of the node that sets a size: the server runs the model with it until another one comes',
		ttlMs: TTL_MS,
		maxEntries: SOME,
		sharedBecause:
			'no response is read; it only leads to a hint that sizes differ, for each of which the model is loaded again',
		forgottenBy: 'a change of the type',
	},
	reasoningStarts: {
		scope: 'process',
		keys: 'server, model and its setting for thinking',
		writtenBy: 'a response that began inside of the thinking, or did not',
		ttlMs: TTL_MS,
		maxEntries: SOME,
		sharedBecause: 'the template begins the thinking, whatever the conversation contains',
		forgottenBy: 'the next response that begins otherwise, and a change of the type',
	},
	waitsInVain: {
		scope: 'process',
		keys: 'server and model',
		writtenBy: 'a request that waited for a busy server until its limit',
		ttlMs: TTL_MS,
		maxEntries: MANY,
		sharedBecause: 'all wait for the same server',
		forgottenBy: 'a request that the server takes',
	},
	learnedLimits: {
		scope: 'process',
		keys: 'queue: server and model',
		writtenBy: 'a server that refused a request because it was busy',
		ttlMs: TTL_MS,
		maxEntries: MANY,
		sharedBecause: 'all share the queue',
		forgottenBy: 'each request that the server takes allows one more',
	},
	answeredOrigins: {
		scope: 'process',
		keys: 'scheme, host and port',
		writtenBy: 'any response from there',
		ttlMs: TTL_MS,
		maxEntries: MANY,
		sharedBecause: 'it only decides about advice: what fails later is not about http or https',
		forgottenBy: 'nothing',
	},
	toolCalls: {
		scope: 'process',
		keys: 'our own ID of a call, which is unique',
		writtenBy: 'a response with tool calls',
		ttlMs: TOOL_CALL_MS,
		isRenewedByUse: true,
		maxEntries: MANY,
		maxBytes: TOOL_CALL_BYTES,
		sharedBecause:
			'only the conversation that contains the ID finds it, in whichever execution it goes on',
		forgottenBy: 'nothing',
	},
	convertedSchemas: {
		scope: 'process',
		keys: "n8n's copy of its converter, and the content of a schema",
		writtenBy: 'a tool whose schema was converted',
		ttlMs: TTL_MS,
		maxEntries: 10 * MANY,
		// A hundred of the largest ones, or the small ones of 5,000 tools.
		maxBytes: 32 * MEGABYTE,
		sharedBecause: 'the same content gives the same schema',
		forgottenBy: 'nothing',
	},
	executions: {
		scope: 'execution',
		keys: "n8n's ID of the execution",
		writtenBy: 'the first node of the execution that needs a server',
		ttlMs: TTL_MS,
		maxEntries: MANY,
		sharedBecause: 'its nodes, sub-nodes and items work for the same person',
		forgottenBy: 'ten minutes without use: n8n reports no end of an execution',
	},
	lessons: {
		scope: 'execution',
		keys: 'server, task and model',
		writtenBy:
			'a rejection that names a field or a format, or a form that a failure did not prove, and an accepted change',
		ttlMs: Infinity,
		maxEntries: SOME,
		sharedBecause:
			'at most an optional field or a format is missing in the other items, and each of them says so',
		forgottenBy: 'a change of the type',
	},
	lastingFailures: {
		scope: 'execution',
		keys: 'server, task and model',
		writtenBy: 'a failure that the repetition of its request did not change',
		ttlMs: Infinity,
		maxEntries: SOME,
		sharedBecause: 'a broken server is not asked twice for each of many items',
		forgottenBy: 'an answer, and a change of the type',
	},
	batches: {
		scope: 'run',
		keys: 'task and model',
		writtenBy: 'batches that a server refused or accepted',
		ttlMs: TTL_MS,
		maxEntries: MANY,
		sharedBecause: 'the items of one run are texts for the same model',
		forgottenBy: 'the end of the run',
	},
	resolvedModels: {
		scope: 'run',
		keys: 'task',
		writtenBy: 'the list of models, if none is selected',
		ttlMs: Infinity,
		maxEntries: SOME,
		sharedBecause: 'all items of a run have the same model',
		forgottenBy: 'the end of the run',
	},
	difyLookups: {
		scope: 'run',
		keys: 'path',
		writtenBy: "look-ups of an app's parameters and a knowledge base's fields",
		ttlMs: Infinity,
		maxEntries: MANY,
		sharedBecause: 'all items of a run use the same app or knowledge base',
		forgottenBy: 'the end of the run',
	},
};

/** The stores that exist as long as the process, by their names. */
const processStores: Array<{ clear(): void }> = [];

/** A store for the whole process. The rows of `KEPT` say what it is for. */
export function keep<V>(name: KeptName): LruCache<V> {
	const store = keepWithin<V>(name);
	processStores.push(store);
	return store;
}

/** A store that ends with the object that has it. */
export function keepWithin<V>(name: KeptName): LruCache<V> {
	return new LruCache<V>(KEPT[name]);
}

/** Forgets everything, as a new process does. For tests. */
export function forgetAll(): void {
	for (const store of processStores) store.clear();
}
