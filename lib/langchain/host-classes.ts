/** The classes of n8n's own LangChain, and its SDK. */
import type { ISupplyDataFunctions } from 'n8n-workflow';
import { LoggerProxy } from 'n8n-workflow';
import type { JsonRecord } from '../values/records';
import { asArray, asRecord } from '../values/records';
import { tryOrUndefined } from '../values/try-or-undefined';
import { getErrorMessage } from '../values/text';
import { describeUnsupportedN8n } from '../supported-n8n';

/** A LangChain tool call of the host. */
export interface HostToolCall {
	id?: string;
	name: string;
	args: JsonRecord;
}

/** A LangChain message chunk of the host. */
export interface HostMessageChunk {
	content: unknown;
	tool_calls?: HostToolCall[];
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

/** A step of LangChain that runs. */
export interface HostRunnable {
	withConfig(config: JsonRecord): HostRunnable;
	/** The next step gets the output of this one. */
	pipe(next: (output: HostMessageChunk) => unknown): HostRunnable;
}

/** The part of the host's `BaseChatModel` that a subclass needs. */
export interface HostBaseChatModel extends HostRunnable {
	metadata?: JsonRecord;
	callbacks?: unknown;
	withStructuredOutput(schema: unknown, config?: object): HostRunnable;
}

/**
 * The classes of the host's own LangChain. n8n treats a model built on them like its own: parallel tool calls,
 * thinking, exact usage and timings arrive, which the SDK's adapter loses (docs/protocols/n8n.md 3).
 */
export interface HostClasses {
	BaseChatModel: abstract new (fields: JsonRecord) => HostBaseChatModel;
	AIMessageChunk: new (fields: JsonRecord) => HostMessageChunk;
	ChatGenerationChunk: new (fields: HostGenerationChunk) => HostGenerationChunk;
	N8nLlmTracing: TracerClass;
}

/** n8n's tracer, which writes the execution log. */
export type TracerClass = new (context: ISupplyDataFunctions, options?: JsonRecord) => object;

/** `missing`: the first part that this n8n lacks, for a sentence. */
type HostLookup = { type: 'found'; classes: HostClasses } | { type: 'missing'; missing: string };

interface Adapter {
	callbacks?: unknown;
	_streamResponseChunks?: (
		messages: unknown[],
		options: object,
	) => AsyncIterable<HostGenerationChunk>;
}

const classesByAdapter = new WeakMap<object, HostClasses>();

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
		assertPart(typeof adapter === 'object', 'supplyModel returned no model');
		const adapterClass = Object.getPrototypeOf(adapter) as object;
		const classes = classesByAdapter.get(adapterClass) ?? (await collectClasses(adapter));
		classesByAdapter.set(adapterClass, classes);
		return { type: 'found', classes };
	} catch (error) {
		const message = getErrorMessage(error);
		const isPart = error instanceof MissingPartError;
		return { type: 'missing', missing: isPart ? message : `its chat model failed: ${message}` };
	}
}

/** An error whose message names the first missing part. */
class MissingPartError extends Error {}

function assertPart(isThere: boolean, name: string): asserts isThere {
	if (!isThere) throw new MissingPartError(name);
}

/** The methods of the base class that n8n and LangChain's chains call. */
const BASE_METHODS = [
	'invoke',
	'generatePrompt',
	'withConfig',
	'pipe',
	'withStructuredOutput',
	'_streamIterator',
	'_modelType',
] as const;

/** @throws {MissingPartError} */
async function collectClasses(adapter: Adapter) {
	const base = asRecord(Object.getPrototypeOf(Object.getPrototypeOf(adapter)));
	const BaseChatModel = getClass(base, 'the base class of its chat model');
	for (const method of BASE_METHODS)
		assertPart(typeof base[method] === 'function', `BaseChatModel.${method}`);
	assertPart(typeof adapter._streamResponseChunks === 'function', '_streamResponseChunks');
	const chunk = asRecord(await firstChunk(adapter));
	const ChatGenerationChunk = getClass(chunk, 'ChatGenerationChunk');
	assertPart('concat' in chunk, 'ChatGenerationChunk');
	const message = asRecord(chunk.message);
	const AIMessageChunk = getClass(message, 'AIMessageChunk');
	assertPart(Array.isArray(message.tool_calls), 'AIMessageChunk');
	const tracer = asRecord(asArray(adapter.callbacks)[0]);
	const N8nLlmTracing = getClass(tracer, 'N8nLlmTracing');
	assertPart('handleLLMEnd' in tracer, 'N8nLlmTracing');
	const classes = { BaseChatModel, AIMessageChunk, ChatGenerationChunk, N8nLlmTracing };
	return classes as unknown as HostClasses;
}

async function firstChunk(adapter: Adapter) {
	for await (const chunk of adapter._streamResponseChunks!([], {})) return chunk;
	return undefined;
}

/**
 * The class of an object, or of its prototype.
 *
 * @throws {MissingPartError} for a plain object
 */
function getClass(instance: object, name: string): unknown {
	const { constructor } = instance;
	assertPart(typeof constructor === 'function' && constructor !== Object, name);
	return constructor;
}

export type AiNodeSdk = typeof import('@n8n/ai-node-sdk');

/**
 * The host's SDK. Loaded with `module.require`, not imported, so that an n8n without it gets an error that says what to
 * do, not "Cannot find module".
 *
 * @throws {Error} if this n8n has no SDK
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
export function reportUnsupportedHost(requireModule?: (name: string) => unknown): void {
	try {
		loadSdk(requireModule);
	} catch (error) {
		LoggerProxy.error(getErrorMessage(error));
	}
}
