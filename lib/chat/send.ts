import { failure } from '../errors/failure';
import { ServerError } from '../errors/server-error';
import { retryAfterMs } from '../http/retry-after';
import type { EventStream, ResumableAnswer } from '../http/types';
import { REFUSALS } from '../servers/kinds';
import type { Workaround, Refusal } from '../servers/kinds/kind';
import type { Attempt } from '../servers/pool/server-pool';
import { fieldChangesIn, knownFieldChanges, rememberFieldChanges } from '../servers/refused-fields';
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
	const taken = new Set<Refusal>();
	const notes: string[] = [];
	const known = Object.fromEntries(
		Object.entries(knownFieldChanges(place)).filter(
			([name, other]) => other !== null || !isNeeded(name, request),
		),
	);
	/** A stream without any content: the request is sent once more without streaming, which shows the error. */
	let empty: ServerError | undefined;
	for (let current: ChatRequest = { ...request, fieldChanges: known }; ; ) {
		const outcome = await trySending(sending, protocol, current);
		if (!('failed' in outcome)) {
			const { fieldChanges: changes = {} } = current;
			if (Object.keys(changes).length > Object.keys(known).length)
				rememberFieldChanges(place, changes);
			const left = Object.keys(changes).filter((name) => changes[name] === null);
			// A later workaround makes the notes of earlier ones obsolete.
			return {
				reader: outcome,
				protocol,
				notes: [...noteOnLeftOut(left, request, protocol), ...notes.slice(-1)],
			};
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
			return { ...other, notes: [...notes.slice(-1), ...other.notes] };
		}
		const way = workaroundFor(failed, current, taken);
		if (way === undefined) throw failed;
		// May be needed several times: a server may name one field after the other.
		if (way.refusal.then !== 'withoutRefusedFields') taken.add(way.refusal);
		if (way.refusal.note !== undefined) notes.push(way.refusal.note);
		current = { ...current, ...way.change };
	}
}

/** The first workaround that matches the refusal, was not tried, and changes something. */
function workaroundFor(
	{ serverText = '' }: ServerError,
	request: ChatRequest,
	taken: ReadonlySet<Refusal>,
): { refusal: Refusal; change: Partial<ChatRequest> } | undefined {
	for (const refusal of REFUSALS) {
		if (taken.has(refusal) || !refusal.says.test(serverText)) continue;
		const change = WORKAROUNDS[refusal.then](request, serverText);
		if (change !== undefined) return { refusal, change };
	}
	return undefined;
}

/** The note on left-out fields that the user set. Token counts in the stream are not mentioned. */
function noteOnLeftOut(
	fields: readonly string[],
	request: ChatRequest,
	protocol: ChatProtocol,
): string[] {
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
	{ connection, limits, retry, pace, resumable, reuse, signal }: Sending,
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
