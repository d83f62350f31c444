import { type ISupplyDataFunctions, LoggerProxy } from 'n8n-workflow';
import { asArray, type JsonRecord, getErrorMessage, tryOrUndefined } from '../values';
import { describeUnsupportedN8n } from '../supported-n8n';

/** A LangChain message chunk of the host. */
export interface HostMessageChunk {
	content: unknown;
	tool_calls?: Array<{ id?: string; name: string; args: JsonRecord }>;
	additional_kwargs: JsonRecord;
	response_metadata: JsonRecord;
	usage_metadata?: JsonRecord;
}

/** A LangChain generation chunk of the host. */
export interface HostGenerationChunk {
	text: string;
	message: HostMessageChunk;
	generationInfo?: JsonRecord;
}

/** Callbacks of a streaming model. */
export interface HostRunManager {
	/** Missing in LangChain's types, although LangChain itself reads it (core, language_models/chat_models.ts). */
	handlers?: unknown;
	/** `args`: the token, its index, ID and parent of the run, tags, and fields with the chunk. */
	handleLLMNewToken(...args: unknown[]): Promise<void>;
}

/** The part of the host's `BaseChatModel` that a subclass needs. */
export interface HostBaseChatModel {
	metadata?: JsonRecord;
	callbacks?: unknown;
	withConfig(config: JsonRecord): unknown;
	withStructuredOutput(schema: unknown, config?: object): unknown;
}

/**
 * The classes of the host's own LangChain. n8n treats a model built on them like its own: parallel tool calls,
 * thinking, exact usage and timings arrive, which the SDK's adapter loses (docs/protocols/n8n.md 3).
 */
export interface HostClasses {
	BaseChatModel: abstract new (fields: JsonRecord) => HostBaseChatModel;
	AIMessageChunk: new (fields: JsonRecord) => HostMessageChunk;
	ChatGenerationChunk: new (fields: HostGenerationChunk) => HostGenerationChunk;
	N8nLlmTracing: new (context: ISupplyDataFunctions, options?: JsonRecord) => object;
}

type HostLookup = { type: 'found'; classes: HostClasses } | { type: 'missing'; missing: string };

interface Adapter {
	callbacks?: unknown;
	_streamResponseChunks?: (
		messages: unknown[],
		options: object,
	) => AsyncIterable<HostGenerationChunk>;
}

const lookups = new WeakMap<object, HostLookup>();

/** A model that responds with one word, enough to find the host's chunk classes. */
const PROBE = {
	provider: 'n8n-nodes-local-llama',
	modelId: 'probe',
	async generate() {
		return {
			message: { role: 'assistant' as const, content: [{ type: 'text' as const, text: '' }] },
		};
	},
	async *stream() {
		yield { type: 'text-delta' as const, delta: 'probe' };
	},
	withTools() {
		return PROBE;
	},
};

/**
 * Takes the host's LangChain classes from the object that the SDK's `supplyModel` returns for a probe model. n8n does
 * not guarantee its shape, so every part is checked, and the first missing one is named.
 */
export async function findHostClasses(
	context: ISupplyDataFunctions,
	sdk: AiNodeSdk = loadSdk(),
): Promise<HostLookup> {
	try {
		const adapter = sdk.supplyModel(
			context,
			PROBE as unknown as Parameters<AiNodeSdk['supplyModel']>[1],
		).response as Adapter | undefined;
		const adapterClass: unknown = adapter && Object.getPrototypeOf(adapter);
		if (!adapter || !isObject(adapterClass))
			throw new MissingPartError('supplyModel returned no model');
		const cached = lookups.get(adapterClass);
		if (cached) return cached;
		const lookup = await collectClasses(adapter, adapterClass);
		lookups.set(adapterClass, lookup);
		return lookup;
	} catch (error) {
		const message = getErrorMessage(error);
		const isPart = error instanceof MissingPartError;
		return { type: 'missing', missing: isPart ? message : `its chat model failed: ${message}` };
	}
}

/** The methods of the base class that n8n and LangChain's chains call. */
const BASE_METHODS = [
	'invoke',
	'generatePrompt',
	'withConfig',
	'withStructuredOutput',
	'_streamIterator',
	'_modelType',
];

/** An error whose message names the first missing part. */
class MissingPartError extends Error {}

/** Throws a `MissingPartError`. */
async function collectClasses(adapter: Adapter, adapterClass: object): Promise<HostLookup> {
	const BaseChatModel = getBaseClass(adapterClass);
	const { ChatGenerationChunk, AIMessageChunk } = await getChunkClasses(adapter);
	const N8nLlmTracing = getTracerClass(adapter);
	const classes = { BaseChatModel, AIMessageChunk, ChatGenerationChunk, N8nLlmTracing };
	return { type: 'found', classes: classes as unknown as HostClasses };
}

function getBaseClass(adapterClass: object): unknown {
	const base: unknown = Object.getPrototypeOf(adapterClass);
	const BaseChatModel = isObject(base) ? getConstructor(base) : undefined;
	if (BaseChatModel === undefined) throw new MissingPartError('the base class of its chat model');
	const missing = BASE_METHODS.find((method) => typeof (base as JsonRecord)[method] !== 'function');
	if (missing !== undefined) throw new MissingPartError(`BaseChatModel.${missing}`);
	return BaseChatModel;
}

async function getChunkClasses(adapter: Adapter) {
	if (typeof adapter._streamResponseChunks !== 'function')
		throw new MissingPartError('_streamResponseChunks');
	const chunk = await firstChunk(adapter);
	const ChatGenerationChunk = getClass(chunk);
	if (!chunk || ChatGenerationChunk === undefined || !('concat' in chunk))
		throw new MissingPartError('ChatGenerationChunk');
	const AIMessageChunk = getClass(chunk.message);
	if (AIMessageChunk === undefined || !Array.isArray(chunk.message.tool_calls))
		throw new MissingPartError('AIMessageChunk');
	return { ChatGenerationChunk, AIMessageChunk };
}

function getTracerClass({ callbacks }: Adapter): unknown {
	const [tracer] = asArray(callbacks);
	const tracerClass = isObject(tracer) && 'handleLLMEnd' in tracer ? getClass(tracer) : undefined;
	if (tracerClass === undefined) throw new MissingPartError('N8nLlmTracing');
	return tracerClass;
}

async function firstChunk(adapter: Adapter) {
	for await (const chunk of adapter._streamResponseChunks!([], {})) return chunk;
	return undefined;
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}

function getClass(instance: unknown): unknown {
	return isObject(instance) ? getConstructor(Object.getPrototypeOf(instance) as object) : undefined;
}

function getConstructor(prototype: object): unknown {
	return typeof prototype.constructor === 'function' && prototype.constructor !== Object
		? prototype.constructor
		: undefined;
}

export type AiNodeSdk = typeof import('@n8n/ai-node-sdk');

/**
 * The host's SDK. Loaded with `module.require`, not imported, so that an n8n without it gets an error that says what to
 * do, not "Cannot find module".
 *
 * Throws an error if this n8n has no SDK.
 */
export function loadSdk(
	requireModule: (name: string) => unknown = (name) => module.require(name),
): AiNodeSdk {
	const sdk = tryOrUndefined(() => requireModule('@n8n/ai-node-sdk') as AiNodeSdk);
	if (!sdk) throw new Error(describeUnsupportedN8n('this n8n has no @n8n/ai-node-sdk'));
	if (typeof sdk.supplyModel !== 'function')
		throw new Error(describeUnsupportedN8n('its @n8n/ai-node-sdk has no supplyModel'));
	return sdk;
}

/**
 * Called when a node file is loaded. Logs and does not throw, because an error while loading would keep n8n from
 * starting. The node throws the same message when it is used.
 */
export function reportUnsupportedHost(requireModule?: (name: string) => unknown) {
	try {
		loadSdk(requireModule);
	} catch (error) {
		LoggerProxy.error(getErrorMessage(error));
	}
}
