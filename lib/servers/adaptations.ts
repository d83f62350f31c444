/** What is changed in a request that a server refused, before it is sent once more. */
import { createHash } from 'node:crypto';

import type { ErrorType } from '../errors/error-types';
import { ServerError } from '../errors/server-error';
import { TYPE_BY_TEXT } from '../errors/error-patterns';
import { LruCache } from '../lru-cache';
import {
	asArray,
	isRecord,
	type JsonRecord,
	normalizeLetters,
	omitUndefined,
	asRecord,
	asRecords,
} from '../values';

/** The change that a refusal asks for; undefined where it asks for another one, or the body has nothing to change. */
export type Adaptation = (refusal: Rejection, body: JsonRecord) => BodyChange | undefined;

export interface BodyChange {
	/** The same change has the same name: each is tried once. */
	name: string;
	/** Returns the body itself where it has nothing to change. */
	apply(body: JsonRecord): JsonRecord;
	/** What the user is told where it changed something that they set. */
	warning?: string;
}

/** A refusal as adaptations read it. */
export interface Rejection {
	type: ErrorType;
	status?: number;
	/** The matches in the server's words. What also stands in the texts of the request triggers and teaches nothing. */
	matches(pattern: RegExp): RegExpMatchArray[];
}

/** A server that refuses another field each time is not asked for ever. */
const MAX_CHANGES = 8;

const changeCache = new LruCache<readonly BodyChange[]>();

/**
 * Sends a body, and again with the changes that refusals ask for. What helped is remembered for the place. Nothing was
 * generated before, so sending again is safe.
 *
 * @param place credential, route and model
 * @throws the first refusal, if no change helps
 */
export async function sendWithAdaptations<T>(
	place: string,
	body: JsonRecord,
	adaptations: readonly Adaptation[],
	send: (body: JsonRecord) => Promise<T>,
): Promise<{ value: T; notes: string[] }> {
	const known = changeCache.get(place) ?? [];
	const changes = [...known];
	let first: unknown;
	for (;;) {
		const changed = changes.reduce((sent, { apply }) => apply(sent), body);
		try {
			const value = await send(changed);
			if (changes.length > known.length) changeCache.set(place, changes);
			return { value, notes: collectWarnings(changes, body) };
		} catch (error) {
			first = first === undefined ? error : pickMoreSpecificError(first, error);
			const change = findChange(error, changed, adaptations);
			const isNew = change !== undefined && !changes.some(({ name }) => name === change.name);
			if (!isNew || changes.length >= MAX_CHANGES) throw first;
			changes.push(change);
		}
	}
}

/** Of a route that is missing, the other one tells more; of a changed request that was taken, its own failure. */
function pickMoreSpecificError(first: unknown, error: unknown): unknown {
	const isWrongPath = first instanceof ServerError && first.type === 'routeNotFound';
	const wasRefused = error instanceof ServerError && (error.status ?? 0) >= 400;
	return isWrongPath || !wasRefused ? error : first;
}

function findChange(
	error: unknown,
	body: JsonRecord,
	adaptations: readonly Adaptation[],
): BodyChange | undefined {
	if (!(error instanceof ServerError)) return undefined;
	const refusal = toRejection(error, body);
	for (const adapt of adaptations) {
		const change = adapt(refusal, body);
		if (change !== undefined) return change;
	}
	return undefined;
}

function toRejection({ type, status, serverText = '' }: ServerError, body: JsonRecord): Rejection {
	const sent = memoizedTexts(body);
	const matches = (pattern: RegExp) =>
		[...serverText.matchAll(pattern)].filter(([words]) => {
			const letters = normalizeLetters(words);
			return !sent().some((text) => text.includes(letters));
		});
	const [, ...patterns] = TYPE_BY_TEXT.find(([name]) => name === type) ?? [type];
	const read = patterns.filter((pattern) => pattern.test(serverText));
	const isQuoted =
		read.length > 0 &&
		read.every(({ source, flags }) => !matches(new RegExp(source, `${flags}g`))[0]);
	const byStatus = status !== undefined && status < 500 ? 'badRequest' : 'serverError';
	return { type: isQuoted ? byStatus : type, status, matches };
}

/** The texts of a request: of messages, inputs, documents and schemas, not the names of its own fields. */
function memoizedTexts(body: JsonRecord): () => string[] {
	let texts: string[] | undefined;
	return () => (texts ??= textsIn(Object.values(body)).map(normalizeLetters));
}

function textsIn(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	return (isRecord(value) ? Object.entries(value) : asArray(value)).flatMap(textsIn);
}

/** The notes of the changes that did something to this body. */
function collectWarnings(changes: readonly BodyChange[], body: JsonRecord): string[] {
	const notes: string[] = [];
	let sent = body;
	for (const { apply, warning } of changes) {
		const changed = apply(sent);
		if (changed !== sent && warning !== undefined) notes.push(warning);
		sent = changed;
	}
	return notes;
}

/** Fields without which the answer would not be what was asked for: their refusal is an error that names the field. */
const REQUIRED_FIELDS: ReadonlySet<string> = new Set([
	'model',
	'messages',
	'input',
	'prompt',
	'query',
	'documents',
	'texts',
	'stream',
	'tools',
	'response_format',
	'format',
	'grammar',
	'structured_outputs',
	'options',
]);

/** `top_k`, or several: `a, b`, `'a', 'b'`, `['a', 'b']`, `{'a': 1}`. */
const NAMES = String.raw`[\[{(]?\s*(['"\x60]\w+['"\x60](?:\s*[,:]\s*(?:['"\x60]\w+['"\x60]|[\d.]+))*|\w+(?:\s*,\s*\w+)*)`;

/** How FastAPI and pydantic with forbidden extras, OpenAI's API, LiteLLM, vLLM, and Python functions refuse fields. */
const REJECTED_FIELD_PATTERNS: readonly RegExp[] = [
	// As FastAPI joins place and message, and in pydantic's own text, which has a line for each
	/(?:\bbody\.|^)(\w+)(?::|\r?\n) *extra (?:inputs are|fields) not permitted/gim,
	new RegExp(
		String.raw`\bun(?:supported|known|recogni[sz]ed|expected) (?:request )?(?:parameter|argument|field|property|key)(?:s|\(s\))?(?: supplied| in the request)?:? ${NAMES}`,
		'gi',
	),
	new RegExp(String.raw`\bunexpected keyword arguments? ${NAMES}`, 'gi'),
	new RegExp(String.raw`\bdoes not support (?:the )?(?:following )?parameters?:? ${NAMES}`, 'gi'),
	/\b(?:parameter|argument|field|property) ['"\x60](\w+)['"\x60] is (?:not supported|unsupported|not permitted|not allowed)/gi,
];

const OTHER_NAME = /\buse (?:the )?(?:parameter )?['"\x60](\w+)['"\x60] instead/gi;

/** Fields that no user sets. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['stream_options', 'encoding_format']);

/**
 * Leaves out the field that a refusal names, or gives it its other name: "Unsupported parameter: 'max_tokens' … Use
 * 'max_completion_tokens' instead."
 *
 * @param kept fields that are sent as they are: those of Extra Body
 */
export function omitRejectedField(kept: ReadonlySet<string> = new Set()): Adaptation {
	return (refusal, body) => {
		const names = findRejectedFields(refusal).filter((name) => name in body);
		const name = names.find((one) => !REQUIRED_FIELDS.has(one) && !kept.has(one));
		if (name === undefined) return undefined;
		const other = refusal.matches(OTHER_NAME)[0]?.[1];
		if (other !== undefined && names.length === 1)
			return { name: `${name} as ${other}`, apply: (sent) => renamed(sent, name, other) };
		return {
			name: `without ${name}`,
			apply: (sent) => without(sent, name),
			...(OWN_FIELDS.has(name)
				? {}
				: { warning: `This server rejects the option ${name}, so it was omitted.` }),
		};
	};
}

/** The names in a list such as `'a', 'b'`. In an entry of a Python dict, only the key is a name. */
function namesInList(list: string): string[] {
	return list
		.split(',')
		.map((entry) => /^\s*['"\x60]?(\w+)/.exec(entry)?.[1])
		.filter((name) => name !== undefined);
}

function findRejectedFields(refusal: Rejection): string[] {
	const lists = REJECTED_FIELD_PATTERNS.flatMap((form) =>
		refusal.matches(form).map(([, names]) => names ?? ''),
	);
	return lists.flatMap(namesInList);
}

function without(body: JsonRecord, name: string): JsonRecord {
	if (!(name in body)) return body;
	return Object.fromEntries(Object.entries(body).filter(([field]) => field !== name));
}

function renamed(body: JsonRecord, name: string, other: string): JsonRecord {
	return name in body ? { ...without(body, name), [other]: body[name] } : body;
}

/** Refuses the field without a name that can be read; vLLM, if Extra Body turns streaming off. */
export const omitStreamOptions: Adaptation = (refusal, body) =>
	'stream_options' in body && refusal.matches(/stream[_ ]options/gi).length > 0
		? { name: 'without stream_options', apply: (sent) => without(sent, 'stream_options') }
		: undefined;

/** LM Studio takes no `json_object` (lmstudio-bug-tracker issue 189). */
export const replaceJsonObject: Adaptation = (refusal, body) => {
	const isRefused =
		refusal.matches(/response_format\.type\W{1,3}must be \W?json_schema\b/gi).length > 0;
	if (!isRefused || asRecord(body.response_format).type !== 'json_object') return undefined;
	const schema = { name: 'answer', schema: { type: 'object' } };
	return {
		name: 'json_object as json_schema',
		apply: (sent) =>
			asRecord(sent.response_format).type === 'json_object'
				? { ...sent, response_format: { type: 'json_schema', json_schema: schema } }
				: sent,
	};
};

/** Ollama: only gpt-oss knows levels of thinking, and some models cannot think (seen: 0.17.4). */
export const adjustOllamaThinking: Adaptation = (refusal, body) => {
	const field = ['think', 'reasoning_effort'].find((name) => name in body);
	if (field === undefined) return undefined;
	if (refusal.matches(/does not support thinking/gi).length > 0)
		return {
			name: 'without thinking',
			apply: (sent) => without(sent, field),
			warning:
				'This model does not support thinking, so the setting Thinking was omitted. Choose a model that does ("ollama show NAME" lists "thinking" under its capabilities), or set Thinking to Server Default.',
		};
	if (refusal.matches(/think value .{0,200} is not supported for this model/gi).length > 0)
		return {
			name: 'thinking without a level',
			apply: (sent) => without(sent, field),
			warning:
				'This Ollama model supports thinking only as on or off, so the thinking effort was omitted.',
		};
	if (refusal.matches(/invalid (?:reasoning value: 'minimal'|think value: "minimal")/gi).length > 0)
		return {
			name: 'low thinking',
			apply: (sent) => (field in sent ? { ...sent, [field]: 'low' } : sent),
			warning:
				'This Ollama version does not support the thinking effort "minimal", so "low" was used.',
		};
	return undefined;
};

/** Mistral's templates take no other IDs of calls (docs/protocols/llama-server.md, case 81). */
export const shortenToolCallIds: Adaptation = (refusal) => {
	const says = /tool call ids? should be alphanumeric strings? with length 9/gi;
	if (refusal.matches(says).length === 0) return undefined;
	return { name: 'short IDs of calls', apply: withShortIds };
};

function withShortIds(body: JsonRecord): JsonRecord {
	const messages = asRecords(body.messages).map((message) => ({
		...message,
		...omitUndefined({
			tool_call_id: shortId(message.tool_call_id),
			tool_calls: Array.isArray(message.tool_calls)
				? asRecords(message.tool_calls).map((call) => ({ ...call, id: shortId(call.id) }))
				: undefined,
		}),
	}));
	return { ...body, messages };
}

/** Nine letters and digits derived from an ID. One that has that form already stays. */
function shortId(id: unknown): string | undefined {
	if (typeof id !== 'string') return undefined;
	if (/^[a-zA-Z0-9]{9}$/.test(id)) return id;
	return createHash('sha256').update(id).digest('hex').slice(0, 9);
}
