/** Puts the calls of tools together that a server sends in pieces. */
import { TextCount } from '../http/response-body';
import { parseExactJson, parseJson, parseObject } from '../json';
import {
	asArray,
	isRecord,
	type JsonRecord,
	asNonEmptyString,
	tryOrUndefined,
	asRecord,
} from '../values';
import { randomInt } from 'node:crypto';
import type { ChatResult } from './types';
import { LruCache } from '../lru-cache';

/**
 * More calls in one answer come from a model that repeats itself. LangChain's work grows with their square, and blocks
 * n8n for seconds from some thousands on.
 */
const MAX_CALLS = 1000;

/** A call as it arrived. */
export interface RawToolCall {
	/** The server's. */
	id?: string;
	name: string;
	/** As the model wrote them. */
	arguments: string;
}

/** Pieces belong together by index, else by id; a piece with neither continues the last call. */
export class ToolCallAccumulator {
	readonly calls: RawToolCall[] = [];
	private readonly byIndex = new Map<string, RawToolCall>();
	private readonly byId = new Map<string, RawToolCall>();

	/** @param count of the text of the whole response */
	constructor(private readonly count = new TextCount()) {}

	/** Whether there are more calls than any answer needs. */
	get hasTooMany(): boolean {
		return this.calls.length > MAX_CALLS;
	}

	/** Takes `tool_calls` of a delta or a message, whatever it is. */
	add(pieces: unknown): void {
		for (const piece of asArray(pieces))
			if (isRecord(piece) && !this.hasTooMany) this.addPiece(piece);
	}

	private addPiece(piece: JsonRecord): void {
		const fn = isRecord(piece.function) ? piece.function : piece;
		const { index } = piece;
		const id = asNonEmptyString(piece.id);
		const name = asNonEmptyString(fn.name);
		const before = this.callBefore(index, id, name);
		const call = before ?? { name: '', arguments: '' };
		const length = lengthOf(call);
		if (before === undefined) this.calls.push(call);
		if (index !== undefined) this.byIndex.set(String(index), call);
		call.id ??= id;
		if (call.id !== undefined && !this.byId.has(call.id)) this.byId.set(call.id, call);
		call.name ||= cleanName(name ?? '');
		call.arguments += textOf(fn.arguments);
		this.count.add(lengthOf(call) - length);
	}

	/** The call that a piece continues; undefined where it begins one. */
	private callBefore(index: unknown, id?: string, name?: string): RawToolCall | undefined {
		if (index === undefined) {
			if (id !== undefined) return this.byId.get(id);
			return name === undefined ? this.calls.at(-1) : undefined;
		}
		const known = this.byIndex.get(String(index));
		// Servers that send calls whole often give all of them the same index.
		const isNext =
			known !== undefined && name !== undefined && known.arguments !== '' && id !== known.id;
		return isNext ? undefined : known;
	}
}

function lengthOf({ id = '', name, arguments: args }: RawToolCall): number {
	return id.length + name.length + args.length;
}

/** gpt-oss leaves tokens of its format in names: `ls<|channel|>commentary` (vllm-project/vllm issue 32587). */
function cleanName(name: string): string {
	return name.split('<|')[0]!.trim();
}

/** Some servers send the object itself. */
function textOf(args: unknown): string {
	if (args === undefined || args === null) return '';
	return typeof args === 'string' ? args : JSON.stringify(args);
}

/**
 * The arguments as JSON text of an object, with numbers that JavaScript cannot hold as texts; undefined where they are no
 * object.
 */
export function parseArguments(written: string): string | undefined {
	const text = written.trim();
	if (['', 'null', '""', '[]'].includes(text)) return '{}';
	const value = parseJson(text);
	// Some gateways encode the JSON text as a JSON string.
	const json = typeof value === 'string' ? value : text;
	if (parseObject(json) === undefined) return undefined;
	const exact = parseExactJson(json);
	return exact.unsafeNumbers.length === 0 ? json : JSON.stringify(exact.value);
}

/** The names of required arguments that a call lacks. */
export function findMissingArguments(args: string, parameters: JsonRecord): string[] {
	return missingIn(asRecord(parseJson(args)), parameters);
}

/**
 * For an approval, n8n puts a tool's arguments into `toolParameters`, and its own into `hitlParameters`, without which an
 * approval works (n8n-core, `createHitlToolkit`).
 */
function missingIn(given: JsonRecord, { required, properties }: JsonRecord): string[] {
	const { toolParameters, hitlParameters } = asRecord(properties);
	const missing = asArray(required)
		.filter((name) => typeof name === 'string')
		.filter((name) => !Object.hasOwn(given, name));
	if (toolParameters === undefined || hitlParameters === undefined) return missing;
	const asked = missing.filter((name) => name !== 'hitlParameters');
	if (asked.includes('toolParameters')) return asked;
	const inner = missingIn(asRecord(given.toolParameters), asRecord(toolParameters));
	return [...asked, ...inner.map((name) => `toolParameters.${name}`)];
}

/** Longer server ids are not kept: such calls are sent back under our own ids. */
const MAX_SERVER_ID = 200;

const TURN_LENGTH = 9;

const OWN_ID = /^n8n([0-9a-z]{9})\d+(?:_((?:\w|-[0-9A-F]{2})+))?$/;

/**
 * Unique ids for the calls of one answer. A server's ids may be repeated in the next answer (vllm-project/vllm issue
 * 50295, SGLang's `0` and `1`) or in other conversations (Kimi K2's `functions.NAME:0`, vllm-project/vllm issue 20789),
 * and n8n's agent drops every step whose id it has seen. Each id contains a key of the answer and the server's id, so
 * that every n8n worker can read both.
 *
 * Only letters, digits, `_` and `-`, and as short as possible: n8n's memory may pass the conversation to a provider
 * that takes nothing else. vLLM's ids of 46 characters become 64, OpenAI's maximum.
 *
 * @param serverIds the server's id of each call; undefined without one
 */
export function createToolCallIds(serverIds: ReadonlyArray<string | undefined>): string[] {
	if (serverIds.length === 0) return [];
	const turn = randomInt(36 ** TURN_LENGTH)
		.toString(36)
		.padStart(TURN_LENGTH, '0');
	return serverIds.map((id, index) => {
		const kept =
			id === undefined || id === '' || id.length > MAX_SERVER_ID ? '' : `_${escaped(id)}`;
		return `n8n${turn}${index}${kept}`;
	});
}

/** The id to send to the server: the server's own if it is in the id; other ids unchanged. */
export function toServerToolCallId(id: string): string {
	const kept = OWN_ID.exec(id)?.[2];
	return kept === undefined ? id : (unescaped(kept) ?? id);
}

/** The key of the answer in a call's id; undefined for ids that are not from `ownToolCallIds`. */
export function getTurnKey(id: string): string | undefined {
	return OWN_ID.exec(id)?.[1];
}

/** Writes bytes other than letters, digits and `_` as `-` and two hexadecimal digits. */
function escaped(id: string): string {
	return [...Buffer.from(id, 'utf8')]
		.map((byte) => {
			const character = String.fromCharCode(byte);
			return /\w/.test(character)
				? character
				: `-${byte.toString(16).toUpperCase().padStart(2, '0')}`;
		})
		.join('');
}

function unescaped(kept: string): string | undefined {
	return tryOrUndefined(() => decodeURIComponent(kept.replace(/-/g, '%')));
}

/** The cached original of a tool call and its turn, which n8n returns in pieces and changed. */
export interface CachedToolCall {
	/** Text the model wrote before its calls. */
	text: string;
	reasoning: string;
	name: string;
	/** The arguments exactly as the model wrote them. */
	arguments: string;
}

/** Longer calls are not kept. */
const MAX_CHARACTERS = 64 * 1024;

/**
 * Caches the calls of recent answers with their exact arguments, and the text and thinking before them. n8n 2.20's
 * agent loses the thinking, and n8n 2.41's overwrites an argument called `id`. Entries may be missing, as on another
 * worker of n8n's queue mode: then the conversation is still correct, only less like what the model wrote.
 *
 * The key is our own unique id of the call (`ownToolCallIds`), never the server's id, which may be repeated in other
 * conversations.
 */
export class ToolCallCache {
	private readonly calls = new LruCache<CachedToolCall>(Infinity);

	store({
		text,
		reasoning,
		toolCalls,
	}: Pick<ChatResult, 'text' | 'reasoning' | 'toolCalls'>): void {
		for (const { id, name, arguments: args } of toolCalls)
			if (text.length + reasoning.length + args.length <= MAX_CHARACTERS)
				this.calls.set(id, { text, reasoning, name, arguments: args });
	}

	get(id: string): CachedToolCall | undefined {
		return this.calls.get(id);
	}
}

/** Of this process. */
export const toolCallCache = new ToolCallCache();
