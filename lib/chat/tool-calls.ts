/** Tool calls on their way between server and n8n: collecting them, their arguments, IDs and names. */
import { TextCount } from '../http/response-body';
import type { JsonRecord } from '../values/records';
import { isRecord, asNonEmptyString } from '../values/records';
import { parseJson, stringifyCanonical } from '../values/json';
import { parseExactJson } from '../values/exact-json';
import { JsonBrackets } from '../values/json-brackets';
import { tryOrUndefined } from '../values/attempt';
import { createHash, randomInt } from 'node:crypto';
import type { ChatResult, ToolDefinition, ChatMessage, ToolNames } from './types';
import { LruCache } from '../lru-cache';
import { repairJson } from '../text/literals';
import { RunawayDetector } from '../text/runaway';
import type { RawToolCall } from '../text/calls/types';
import { withoutEndMarks } from '../text/end-marks';

/**
 * More calls in one response come from a model that repeats itself. LangChain's work is quadratic, and blocks n8n for
 * seconds from some thousands on.
 */
const MAX_CALLS = 1000;

/** Matches deltas by index, otherwise by ID. A delta with neither continues the last call. */
export class ToolCallAccumulator {
	readonly calls: RawToolCall[] = [];
	private readonly byIndex = new Map<string, RawToolCall>();
	private readonly byId = new Map<string, RawToolCall>();
	private readonly brackets = new Map<RawToolCall, JsonBrackets>();
	/** Complete arguments that the last delta of a call repeated. */
	private readonly repeated = new Map<RawToolCall, string>();
	/** Detects arguments that repeat themselves without end. */
	readonly runaway: RunawayDetector = new RunawayDetector(true);

	/** `textCount`: counts the text of the complete response. */
	constructor(private readonly textCount: TextCount = new TextCount()) {}

	get hasTooMany(): boolean {
		return this.calls.length > MAX_CALLS;
	}

	/** Adds `tool_calls` of a delta or a message, of any type. */
	add(deltas: unknown): void {
		for (const delta of [deltas].flat())
			if (isRecord(delta) && !this.hasTooMany) this.addDelta(delta);
	}

	/**
	 * The calls of the ended response. vLLM with speculative decoding repeats the complete arguments in its last delta: they
	 * replace what was collected, if both together are no JSON.
	 */
	end(): RawToolCall[] {
		for (const toolCall of this.calls) {
			if (normalizeArguments(toolCall.arguments) !== undefined) continue;
			const repeated = this.repeated.get(toolCall) ?? findRepeatedObject(toolCall.arguments);
			toolCall.arguments = repeated ?? toolCall.arguments;
		}
		return this.calls;
	}

	private addDelta(delta: JsonRecord) {
		const fn = isRecord(delta.function) ? delta.function : delta;
		const index = toIndexKey(delta.index);
		const id = asNonEmptyString(delta.id);
		const name = asNonEmptyString(fn.name);
		const args = toArgumentsText(fn.arguments ?? fn.parameters ?? fn.input);
		const continued = this.findContinuedCall(index, id, name);
		const isNext = continued === undefined || this.isNext(continued, name !== undefined, args, id);
		const toolCall = isNext ? this.startCall() : continued;
		const length = getLength(toolCall);
		this.noteRepetition(toolCall, args);
		if (index !== undefined) this.byIndex.set(index, toolCall);
		toolCall.id ??= id;
		if (toolCall.id !== undefined) this.byId.set(toolCall.id, toolCall);
		// gpt-oss leaves tokens of its format in names: `ls<|channel|>commentary` (vllm-project/vllm issue 32587).
		toolCall.name ||= name?.split('<|')[0]!.trim() ?? '';
		// Some servers begin the arguments with an empty object.
		toolCall.arguments =
			(toolCall.arguments === '{}' && args.trim() ? '' : toolCall.arguments) + args;
		this.brackets.get(toolCall)!.readAll(args);
		this.runaway.push(args);
		this.textCount.add(getLength(toolCall) - length);
	}

	private noteRepetition(toolCall: RawToolCall, args: string): void {
		const { arguments: collected } = toolCall;
		const isRepetition =
			collected.trim() !== '' && args.startsWith(collected) && isRecord(parseJson(args));
		if (isRepetition) this.repeated.set(toolCall, args);
		else if (args.trim() !== '') this.repeated.delete(toolCall);
	}

	private startCall() {
		const toolCall: RawToolCall = { name: '', arguments: '' };
		this.calls.push(toolCall);
		this.brackets.set(toolCall, new JsonBrackets());
		this.runaway.forgetRepetition();
		return toolCall;
	}

	/**
	 * Whether a delta begins another call with the index or ID of a complete one, as some servers send them. One with the same
	 * ID and the same arguments repeats it.
	 */
	private isNext(toolCall: RawToolCall, hasName: boolean, args: string, id?: string): boolean {
		const { isComplete } = this.brackets.get(toolCall)!;
		if (!hasName || !isComplete) return false;
		const isOtherId = id !== undefined && id !== toolCall.id;
		const isRepetition = id !== undefined && !isOtherId && args === toolCall.arguments;
		return isOtherId || (args.trim() !== '' && !isRepetition);
	}

	/** The call with the index or ID of a delta; undefined for a new call. */
	private findContinuedCall(index?: string, id?: string, name?: string) {
		if (index === undefined) {
			if (id !== undefined) return this.byId.get(id);
			return name === undefined ? this.calls.at(-1) : undefined;
		}
		return this.byIndex.get(index);
	}
}

/** More repetitions are no repetition of the last delta. */
const MAX_REPETITIONS = 10;

/** The object that a text has several times, and nothing else; undefined for any other text. */
function findRepeatedObject(text: string): string | undefined {
	const objects: string[] = [];
	for (let from = 0; from < text.length && objects.length <= MAX_REPETITIONS;) {
		const to = new JsonBrackets().read(text, from) ?? text.length;
		objects.push(text.slice(from, to));
		from = to;
	}
	const values = objects.map((json) => stringifyCanonical(parseJson(json)));
	const isRepeated = objects.length > 1 && values.every((value) => value === values[0]);
	return isRepeated && isRecord(parseJson(objects[0]!)) ? objects[0] : undefined;
}

/** A number, which some servers send as text. Anything else is no index. */
function toIndexKey(index: unknown) {
	const isKey = typeof index === 'number' || (typeof index === 'string' && index.length <= 20);
	return isKey ? String(index) : undefined;
}

function getLength({ id = '', name, arguments: args }: RawToolCall) {
	return id.length + name.length + args.length;
}

/** Some servers send an object instead of JSON text. */
function toArgumentsText(args: unknown) {
	if (args === undefined || args === null) return '';
	return typeof args === 'string' ? args : JSON.stringify(args);
}

/**
 * The arguments as JSON text of an object, with numbers that JavaScript cannot represent as strings; undefined if they
 * are not an object.
 */
export function normalizeArguments(source: string): string | undefined {
	const text = withoutEndMarks(source.trim());
	if (['', 'null', '""', '[]'].includes(text)) return '{}';
	const value = parseJson(text);
	// Some gateways encode the JSON text as a JSON string.
	const json = isRecord(value) ? text : repairJson(typeof value === 'string' ? value : text);
	if (json === undefined) return undefined;
	const exact = parseExactJson(json);
	if (!isRecord(exact.value)) return undefined;
	return exact.unsafeNumbers.length === 0 ? json : JSON.stringify(exact.value);
}

/** Longer server IDs are not kept. */
const MAX_SERVER_ID = 200;

/** Letters and digits that Mistral's templates require in an ID (docs/protocols/llama-server.md, case 81). */
const ID_LENGTH = 9;

const OWN_ID = /^n8n([0-9a-z]{9})\d+(?:_((?:\w|-[0-9A-F]{2})+))?$/;

/** A random ID for the server. */
export function createServerToolCallId(): string {
	return randomInt(36 ** ID_LENGTH)
		.toString(36)
		.padStart(ID_LENGTH, '0');
}

/**
 * Unique IDs for the calls of one response. A server's IDs may be repeated in the next response (vllm-project/vllm issue
 * 50295, SGLang's `0` and `1`) or in other conversations (Kimi K2's `functions.NAME:0`, vllm-project/vllm issue 20789),
 * and n8n's agent removes steps with a known ID. Each ID contains the turn key and the server's ID, so that every n8n
 * worker can read both.
 *
 * Only letters, digits, `_` and `-`, and as short as possible: n8n's memory may pass the conversation to a provider
 * that accepts nothing else. vLLM's IDs of 46 characters become 64, OpenAI's maximum.
 *
 * `serverIds`: the server's id of each call; undefined without one.
 */
export function createToolCallIds(serverIds: ReadonlyArray<string | undefined>): string[] {
	const turnKey = createServerToolCallId();
	return serverIds.map((id = '', index) => {
		const suffix = !id || id.length > MAX_SERVER_ID ? '' : `_${escapeId(id)}`;
		return `n8n${turnKey}${index}${suffix}`;
	});
}

/**
 * The ID that is sent to the server, the same in each round. Kimi's templates need their own ID, which contains the
 * tool's name. Every other ID becomes one that Mistral's templates accept.
 */
export function toServerToolCallId(id: string, toolName: string): string {
	const [, , escapedId] = OWN_ID.exec(id) ?? [];
	const serverId =
		escapedId === undefined
			? id
			: tryOrUndefined(() => decodeURIComponent(escapedId.replace(/-/g, '%')));
	if (toolName && serverId?.includes(toolName)) return serverId;
	if (/^[a-zA-Z0-9]{9}$/.test(id)) return id;
	return createHash('sha256').update(id).digest('hex').slice(0, ID_LENGTH);
}

/** The key that the calls of one response share, from a call's ID; undefined for IDs that are not from `createToolCallIds`. */
export function getResponseKey(id: string): string | undefined {
	return OWN_ID.exec(id)?.[1];
}

/** Writes characters other than letters, digits and `_` as `-` and two hexadecimal digits for each byte. */
function escapeId(id: string) {
	return encodeURIComponent(id.toWellFormed())
		.replace(/[-.!~*'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
		.replaceAll('%', '-');
}

/** Maximum length of a name that servers accept. */
const MAX_NAME_LENGTH = 64;

/** Names are unique within a request. A valid name stays, and no other tool gets it. */
export function createToolNames(tools: readonly ToolDefinition[]): ToolNames {
	const usedNames = new Set(tools.map(({ name }) => name));
	const wireNames = new Map<string, string>();
	for (const { name } of tools) {
		const validName = toValidName(name);
		if (validName === name) continue;
		let unique = validName;
		for (let count = 2; usedNames.has(unique); count++)
			unique = `${validName.slice(0, MAX_NAME_LENGTH - 4)}_${count}`;
		usedNames.add(unique);
		wireNames.set(name, unique);
	}
	const originalNames = new Map([...wireNames].map(([name, wireName]) => [wireName, name]));
	return {
		toWire: (name) => wireNames.get(name) ?? toValidName(name),
		toOriginal: (name) => originalNames.get(name) ?? name,
	};
}

/** A name that servers accept. */
export function toValidName(name: string): string {
	return name.replace(/[^\w-]/g, '_').slice(0, MAX_NAME_LENGTH) || '_';
}

/** Messages with the names that are sent. */
export function withWireNames(messages: readonly ChatMessage[], names: ToolNames): ChatMessage[] {
	return messages.map((message) => {
		if (message.role === 'tool' && message.name !== undefined)
			return { ...message, name: names.toWire(message.name) };
		if (message.role !== 'assistant' || !message.toolCalls) return message;
		const toolCalls = message.toolCalls.map((call) => ({ ...call, name: names.toWire(call.name) }));
		return { ...message, toolCalls };
	});
}

/** The cached original of a tool call and its turn, which n8n splits and changes. */
export interface CachedToolCall {
	/** Text the model wrote before its calls. */
	text: string;
	reasoning: string;
	name: string;
	/** The arguments exactly as the model wrote them. */
	arguments: string;
}

/** Longer calls are not cached. */
const MAX_CHARACTERS = 64 * 1024;

/**
 * The calls of recent responses with their exact arguments, and the text and thinking before them. n8n 2.20's
 * agent loses the thinking, and n8n 2.41's overwrites an argument called `id`. Entries may be missing, as on another
 * worker of n8n's queue mode: then the conversation is still correct, but less similar to the model's output.
 *
 * The key is our own unique ID of the call (`createToolCallIds`), never the server's ID, which may be repeated in other
 * conversations.
 */
export const toolCallCache: LruCache<CachedToolCall> =
	LruCache.createShared<CachedToolCall>(Infinity);

export function cacheToolCalls({
	text,
	reasoning,
	toolCalls,
}: Pick<ChatResult, 'text' | 'reasoning' | 'toolCalls'>): void {
	for (const { id, name, arguments: args } of toolCalls)
		if (text.length + reasoning.length + args.length <= MAX_CHARACTERS)
			toolCallCache.set(id, { text, reasoning, name, arguments: args });
}
