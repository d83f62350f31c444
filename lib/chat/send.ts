import { failure } from '../errors/failure';
import { ServerError } from '../errors/server-error';
import type { Place } from '../http/place';
import { retryAfterMs } from '../http/retry-after';
import type { EventStream, ResumableAnswer } from '../http/types';
import { REFUSALS } from '../servers/kinds';
import type { Workaround, Refusal } from '../servers/kinds/kind';
import type { Attempt } from '../servers/pool/server-pool';
import {
	type FieldChanges,
	fieldChangesIn,
	knownFieldChanges,
	rememberFieldChanges,
} from '../servers/refused-fields';
import { beginningOf } from './beginning';
import type { ReadingPace } from './answer/reading-pace';
import type { ChatRequest, Thinking } from './types';
import { ollamaProtocol } from './wire/ollama';
import { withoutNativeApi } from './request/ollama-options';
import { openAiProtocol } from './wire/openai';
import type { ChatProtocol } from './wire/protocol';

const withThinking = (thinking: Thinking | undefined) => (request: ChatRequest) => ({
	parameters: { ...request.parameters, thinking },
});

/**
 * The change of the request for each workaround; undefined if there is none. Nothing was generated before, so sending
 * again is safe.
 */
const WORKAROUNDS: Record<
	Workaround,
	(request: ChatRequest, refusal: string) => Partial<ChatRequest> | undefined
> = {
	withoutStream: () => ({ stream: false }),
	withoutUsageInStream: () => ({ streamUsage: false }),
	shortToolIds: () => ({ shortToolIds: true }),
	withoutThinkingSetting: withThinking(undefined),
	lowThinkingEffort: withThinking({ mode: 'effort', effort: 'low' }),
	withoutRefusedFields: (request, refusal) => {
		const { fieldChanges: before = {} } = request;
		const changes = Object.entries(fieldChangesIn(refusal)).filter(([name]) => !(name in before));
		return changes.length === 0 ||
			changes.some(([name, other]) => other === null && isNeeded(name, request))
			? undefined
			: { fieldChanges: { ...before, ...Object.fromEntries(changes) } };
	},
};

/**
 * Fields that must not be left out, because the answer would not be what was requested. The same applies to Extra Body.
 */
const NEEDED_FIELDS: ReadonlySet<string> = new Set([
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
	resumable?: ResumableAnswer;
	reuse?: boolean;
	signal?: AbortSignal;
}

/** An answer that has begun. */
export interface BegunAnswer {
	reader: EventStream;
	/** Protocol of the answer, after any fallback. */
	protocol: ChatProtocol;
	/** Notes on changes of the request. */
	notes: string[];
}

/**
 * Sends a request, and sends it again with workarounds if the server refuses it before it generates anything.
 *
 * @throws {ServerError} the refusal, if no workaround helps
 */
export async function sendRequest(
	sending: Sending,
	protocol: ChatProtocol,
	request: ChatRequest,
): Promise<BegunAnswer> {
	const place = `${sending.connection.url.api} ${request.model}`;
	const tried = new Set<Refusal>();
	/** Of the latest workaround, which makes those of earlier ones obsolete. */
	let notes: string[] = [];
	/** A stream without any content: the request is sent once more without streaming, which shows the error. */
	let empty: ServerError | undefined;
	const known = knownChangesFor(request, place);
	let current: ChatRequest & { fieldChanges: FieldChanges } = { ...request, fieldChanges: known };
	for (;;) {
		const outcome = await trySending(sending, protocol, current);
		if (!('failed' in outcome)) {
			const { fieldChanges } = current;
			if (fieldChanges !== known) rememberFieldChanges(place, fieldChanges);
			const left = noteOnLeftOut(current, request, protocol);
			return { reader: outcome, protocol, notes: [...left, ...notes] };
		}
		const { failed } = outcome;
		if (failed.facts.isEmptyStream === true) {
			if (empty !== undefined || current.stream === false) throw empty ?? failed;
			empty = failed;
			current = { ...current, stream: false };
			continue;
		}
		if (failed.kind === 'wrongPath' && protocol === ollamaProtocol) {
			const other = await sendByOpenAi(sending, current);
			return { ...other, notes: [...notes, ...other.notes] };
		}
		const { refusal, change } = workaroundFor(failed, current, tried);
		// May be needed several times: a server may name one field after the other.
		if (refusal.then !== 'withoutRefusedFields') tried.add(refusal);
		if (refusal.note !== undefined) notes = [refusal.note];
		current = { ...current, ...change };
	}
}

/** The changes of fields that this server needed before, except for fields that this request needs. */
function knownChangesFor(request: ChatRequest, place: string): FieldChanges {
	const changes = Object.entries(knownFieldChanges(place));
	return Object.fromEntries(
		changes.filter(([name, other]) => other !== null || !isNeeded(name, request)),
	);
}

/**
 * The first workaround that matches the refusal, was not tried, and changes something.
 *
 * @throws {ServerError} the refusal, if there is none
 */
function workaroundFor(
	failed: ServerError,
	request: ChatRequest,
	tried: ReadonlySet<Refusal>,
): { refusal: Refusal; change: Partial<ChatRequest> } {
	const { serverText = '' } = failed;
	for (const refusal of REFUSALS) {
		if (tried.has(refusal) || !refusal.says.test(serverText)) continue;
		const change = WORKAROUNDS[refusal.then](request, serverText);
		if (change !== undefined) return { refusal, change };
	}
	throw failed;
}

/** The note on left-out fields that the user set. Token counts in the stream are not mentioned. */
function noteOnLeftOut(
	{ fieldChanges: changes = {} }: ChatRequest,
	request: ChatRequest,
	protocol: ChatProtocol,
): string[] {
	const fields = Object.keys(changes).filter((name) => changes[name] === null);
	if (fields.length === 0) return [];
	const sent = protocol.body({ ...request, fieldChanges: {} });
	const left = fields.filter((name) => name !== 'stream_options' && name in sent);
	if (left.length === 0) return [];
	return [
		`This server refuses fields that it does not know, so these options were left out: ${left.join(', ')}`,
	];
}

/** Sends to the OpenAI routes of a server with a protocol of its own, for a proxy that lets only these through. */
async function sendByOpenAi(sending: Sending, request: ChatRequest): Promise<BegunAnswer> {
	const { parameters, left } = withoutNativeApi(request.parameters);
	const sent = await sendRequest(sending, openAiProtocol, { ...request, parameters });
	if (left.length === 0) return sent;
	const note = `Only the OpenAI-compatible routes of this server can be reached, which ignore these options: ${left.join(', ')}. Let the proxy in front of it pass on /api/chat as well.`;
	return { ...sent, notes: [note, ...sent.notes] };
}

async function trySending(
	{ connection, limits, retry, pace, place, resumable, reuse, signal }: Sending,
	protocol: ChatProtocol,
	request: ChatRequest,
): Promise<EventStream | { failed: ServerError }> {
	const about = { model: request.model };
	try {
		return await connection.stream(protocol.url(connection.url), {
			json: protocol.body(request),
			signal,
			about,
			limits,
			// DELETE cannot stop an answer that is not streamed.
			resumable: request.stream === false ? undefined : resumable,
			reuse,
			framing: protocol.framing,
			pace,
			place,
			retry: retry?.(),
			beginning: beginningOf(connection, protocol.decode, about),
			// Adds the pause from Retry-After, which retries respect.
			refuse(answer) {
				const pause = retryAfterMs(answer.headers['retry-after']);
				if (pause === undefined || answer.status < 300) return undefined;
				return connection.refusal(answer, about).withFacts({ retryAfterMs: pause });
			},
		});
	} catch (error) {
		const context = connection.contextOf(connection.url.api, about);
		return { failed: error instanceof ServerError ? error : failure('invalidAnswer', context) };
	}
}
