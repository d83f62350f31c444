import { failure } from '../errors/failure';
import { ServerError } from '../errors/server-error';
import type { Place } from '../http/place';
import type { EventStream } from '../http/types';
import { askServerKind } from '../servers/identify';
import { isIdentified, KNOWN_REFUSALS } from '../servers/kinds';
import type { KnownRefusal, Workaround } from '../servers/kinds/chat-abilities';
import { modelKey } from '../servers/model-key';
import type { Attempt } from '../servers/retry';
import {
	type FieldChanges,
	furtherChanges,
	knownFieldChanges,
	noteOnLeftOut,
	rememberFieldChanges,
} from '../servers/refused-fields';
import { beginningOf } from './beginning';
import type { ReadingPace } from './answer/reading-pace';
import type { ChatRequest, Thinking } from './types';
import { ollamaProtocol } from './wire/ollama';
import { withoutNativeApi } from './request/ollama-options';
import { ANY_OBJECT, wantsJson } from './request/parameters';
import { openAiProtocol } from './wire/openai';
import type { ChatProtocol } from './wire/protocol';
import { isFilled } from '../values';
import { nativeProtocolOf } from './wire/protocols';

const withThinking = (thinking: Thinking | undefined) => (request: ChatRequest) => ({
	parameters: { ...request.parameters, thinking },
});

/**
 * The change of the request for each workaround; undefined if there is none. Nothing was generated before, so sending
 * again is safe.
 */
const WORKAROUNDS: Record<
	Workaround,
	(request: ChatRequest, serverText: string) => Partial<ChatRequest> | undefined
> = {
	withoutStream: () => ({ stream: false }),
	formatWithoutStream: ({ stream, parameters }) =>
		stream !== false && wantsJson(parameters) ? { stream: false } : undefined,
	withoutUsageInStream: () => ({ streamUsage: false }),
	shortToolIds: () => ({ shortToolIds: true }),
	withoutThinkingSetting: withThinking(undefined),
	lowThinkingEffort: withThinking({ mode: 'effort', effort: 'low' }),
	anyAsToolChoice: () => ({ requiredChoice: 'any' }),
	jsonObjectAsSchema: ({ parameters }) =>
		parameters.responseFormat?.type === 'jsonObject'
			? { parameters: { ...parameters, responseFormat: ANY_OBJECT } }
			: undefined,
	schemaAsJsonObject: ({ parameters }) =>
		parameters.responseFormat?.type === 'jsonSchema'
			? { parameters: { ...parameters, responseFormat: { type: 'jsonObject' } } }
			: undefined,
	withoutRefusedFields: (request, serverText) => {
		const { fieldChanges = {} } = request;
		const changes = furtherChanges(serverText, fieldChanges, (name) => isNeeded(name, request));
		return changes && { fieldChanges: changes };
	},
};

/**
 * Fields that must not be left out, because the answer would not be what was requested. The same applies to Extra Body.
 */
export const NEEDED_FIELDS: ReadonlySet<string> = new Set([
	'model',
	'messages',
	'stream',
	'tools',
	'response_format',
	'grammar',
	'structured_outputs',
	'ebnf',
	'format',
	'options',
]);

function isNeeded(name: string, { parameters, toolChoice = 'auto' }: ChatRequest): boolean {
	if (name === 'tool_choice') return toolChoice !== 'auto';
	return NEEDED_FIELDS.has(name) || name in (parameters.extraBody ?? {});
}

/** How a request is sent: connection, limits and retries, pace of reading, cancelling. */
interface Sending extends Omit<Attempt, 'model'> {
	pace?: ReadingPace;
	place?: Place;
	reuse?: boolean;
	signal?: AbortSignal;
	/** The other API of the server has no such route. */
	isOtherMissing?: true;
}

/** A request whose answer has begun. */
export interface SentRequest {
	reader: EventStream;
	/** Protocol of the answer, after any fallback. */
	protocol: ChatProtocol;
	/** Notes on changes of the request. */
	notes: string[];
}

/**
 * Sends a request. Where the server fails before it generates anything, the request is sent again: not streamed after a
 * stream without content, by the other API of Ollama where the route of one is missing, and with the workaround for a
 * refusal.
 *
 * @throws {ServerError} the refusal, if no workaround helps
 */
export async function sendRequest(
	sending: Sending,
	protocol: ChatProtocol,
	request: ChatRequest,
): Promise<SentRequest> {
	const key = modelKey({ connection: sending.connection, model: request.model });
	const tried = new Set<KnownRefusal>();
	/** Of the latest workaround, which makes those of earlier ones obsolete. */
	let notes: string[] = [];
	let emptyStream: ServerError | undefined;
	const knownChanges = knownFieldChanges(key, (name) => isNeeded(name, request));
	let current: ChangedRequest = { ...request, fieldChanges: knownChanges };
	for (;;) {
		const outcome = await trySending(sending, protocol, current);
		if (!('failed' in outcome)) {
			rememberNewChanges(key, current, knownChanges);
			const leftOut = notesOnLeftOut(current.fieldChanges, request, protocol);
			return { reader: outcome, protocol, notes: [...leftOut, ...notes] };
		}
		const { failed } = outcome;
		// The server is gone since, which says less.
		if (emptyStream !== undefined && failed.status === undefined) throw emptyStream;
		if (await wasEmptyStream(failed, sending, current)) {
			emptyStream ??= failed;
			current = withoutStream(current, emptyStream);
			continue;
		}
		const sent = await sentByOtherApi(failed, sending, protocol, current);
		if (sent !== undefined) return { ...sent, notes: [...notes, ...sent.notes] };
		const { refusal, change } = workaroundFor(failed, current, tried);
		// May be needed several times: a server may name one field after the other.
		if (refusal.then !== 'withoutRefusedFields') tried.add(refusal);
		if (refusal.note !== undefined) notes = [refusal.note];
		current = { ...current, ...change };
	}
}

/** Without streaming, the server may say what is wrong. */
function withoutStream(request: ChangedRequest, emptyStream: ServerError): ChangedRequest {
	if (request.stream === false) throw emptyStream;
	return { ...request, stream: false };
}

/**
 * Whether a stream ended before its first event. Where the connection broke as well, only of unknown servers: that is
 * how FastAPI ends a stream whose generator failed. A known server has crashed, perhaps over this request.
 */
async function wasEmptyStream(
	{ facts }: ServerError,
	{ connection, signal }: Sending,
	{ model, stream }: ChatRequest,
): Promise<boolean> {
	if (facts.isEmptyStream === true) return true;
	if (facts.brokeAfterHead !== true || stream === false) return false;
	return !isIdentified(await askServerKind(connection, model, { signal }));
}

type ChangedRequest = ChatRequest & { fieldChanges: FieldChanges };

/** Once it answered: what the changes of fields were that it needed. */
function rememberNewChanges(
	key: string,
	{ fieldChanges }: ChangedRequest,
	known: FieldChanges,
): void {
	if (fieldChanges !== known) rememberFieldChanges(key, fieldChanges);
}

/** The body is written once more only where fields were left out: it may have megabytes. */
function notesOnLeftOut(
	changes: FieldChanges,
	request: ChatRequest,
	protocol: ChatProtocol,
): string[] {
	if (!isFilled(changes)) return [];
	return noteOnLeftOut(changes, protocol.body({ ...request, fieldChanges: {} }));
}

/**
 * The first workaround that matches the refusal, was not tried, and changes something.
 *
 * @throws {ServerError} the refusal, if there is none
 */
function workaroundFor(
	failed: ServerError,
	request: ChatRequest,
	tried: ReadonlySet<KnownRefusal>,
): { refusal: KnownRefusal; change: Partial<ChatRequest> } {
	const { serverText = '' } = failed;
	for (const refusal of KNOWN_REFUSALS) {
		if (tried.has(refusal) || refusal.says?.test(serverText) === false) continue;
		const change = WORKAROUNDS[refusal.then](request, serverText);
		if (change !== undefined) return { refusal, change };
	}
	throw failed;
}

/** Sends by the other API of a server that may have two, if the route of this one is missing. */
async function sentByOtherApi(
	{ kind }: ServerError,
	sending: Sending,
	protocol: ChatProtocol,
	request: ChatRequest,
): Promise<SentRequest | undefined> {
	if (kind !== 'wrongPath' || sending.isOtherMissing === true) return undefined;
	const other: Sending = { ...sending, isOtherMissing: true };
	if (protocol === ollamaProtocol) return await sendByOpenAi(other, request);
	const { connection, signal } = sending;
	const serverKind = await askServerKind(connection, request.model, { signal });
	const native = nativeProtocolOf(serverKind);
	return native && (await sendRequest(other, native, { ...request, serverKind }));
}

/** Sends to the OpenAI routes of a server with a protocol of its own, for a proxy that lets only these through. */
async function sendByOpenAi(sending: Sending, request: ChatRequest): Promise<SentRequest> {
	const { parameters, left } = withoutNativeApi(request.parameters);
	const sent = await sendRequest(sending, openAiProtocol, { ...request, parameters });
	if (left.length === 0) return sent;
	const note = `Only the OpenAI-compatible routes of this server can be reached, which ignore these options: ${left.join(', ')}. Let the proxy in front of it pass on /api/chat as well.`;
	return { ...sent, notes: [note, ...sent.notes] };
}

async function trySending(
	{ connection, limits, newRetryPolicy, pace, place, reuse, signal }: Sending,
	protocol: ChatProtocol,
	request: ChatRequest,
): Promise<EventStream | { failed: ServerError }> {
	const about = { model: request.model };
	try {
		return await connection.stream(protocol.url(connection.url), {
			json: () => protocol.body(request),
			signal,
			about,
			limits,
			reuse,
			framing: protocol.framing,
			pace,
			place,
			retry: newRetryPolicy(),
			beginning: beginningOf(connection, protocol.decode, about),
		});
	} catch (error) {
		const context = connection.contextOf(connection.url.api, about);
		return { failed: error instanceof ServerError ? error : failure('invalidAnswer', context) };
	}
}
