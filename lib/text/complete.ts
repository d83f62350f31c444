import { noteOnReachedLimit, notesOnIgnoredLimits } from '../chat/answer/remarks';
import { beginningOf } from '../chat/beginning';
import { checkParameters } from '../chat/request/parameters';
import type { WireChunk } from '../chat/types';
import { errorIn } from '../errors/error-body';
import { failure } from '../errors/failure';
import { asFailed, ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { Place } from '../http/place';
import type { ServerSentEvent } from '../http/sse';
import type { EventStream } from '../http/types';
import { askServerKind, askServerKindAgain } from '../servers/identify';
import { withContextAdvice } from '../servers/context-facts';
import { requireModel } from '../servers/model-names';
import { type Attempt, type ClientSettings, untilReady } from '../servers/retry';
import { reachesHiddenLimit } from '../servers/kinds/chat-abilities';
import { LruCache } from '../lru-cache';
import { identifiedKind, type KindName, kindOf, UNIDENTIFIED } from '../servers/kinds';
import { beginInSpan } from '../tracing/span';
import { parseJson } from '../json';
import { isRecord, type JsonRecord, nonEmptyText, optional } from '../values';
import { sendAccepted } from './send-accepted';
import { type Completion, CompletionAssembly } from './completion';
import {
	type CompletionOptions,
	completionRequest,
	type CompletionRequest,
	type CompleteTask,
} from './completion-request';

export type CompleteSettings = CompletionOptions & ClientSettings;

export interface FinishedCompletion extends Completion {
	/** Left out where nothing told it. */
	server?: KindName;
	notes: string[];
}

/**
 * Continues a prompt. Yields pieces of text as they arrive.
 *
 * @throws {ServerError} with the text that had arrived in `partialText`
 */
export async function* complete(
	connection: Connection,
	settings: CompleteSettings,
	task: CompleteTask,
	signal?: AbortSignal,
): AsyncGenerator<string, FinishedCompletion> {
	checkParameters(settings.parameters);
	requireModel(settings.model);
	const { parameters } = settings;
	const place = new Place(false);
	const attempt = { ...untilReady(connection, settings), place };
	const { model } = attempt;
	const begun = await beginInSpan(
		connection,
		{ operation: 'text_completion', model, parameters },
		async (traced) => await begin({ ...attempt, connection: traced }, settings, task, signal),
	);
	const { span } = begun;
	try {
		const completion = yield* readCompletion({ ...begun, connection, model }, settings, signal);
		const { model: answeredBy, stopType, usage, timings } = completion;
		const tokensPerSecond = timings?.predicted_per_second;
		span.note({
			provider: begun.kind,
			answeredBy,
			finishReason: stopType,
			usage,
			tokensPerSecond,
		});
		return completion;
	} catch (error) {
		throw span.fail(error);
	} finally {
		span.end();
	}
}

type Begun = { reader: EventStream; kind: KindName; notes: string[] };

async function* readCompletion(
	begun: Begun & Pick<Attempt, 'connection' | 'model'>,
	settings: CompleteSettings,
	signal: AbortSignal | undefined,
): AsyncGenerator<string, FinishedCompletion> {
	const { connection, model, reader, kind, notes } = begun;
	const assembly = new CompletionAssembly();
	const context = connection.contextOf(reader.url, { model });
	const failed: FailedAnswer = (failureKind, serverText) => {
		const partialText = nonEmptyText(assembly.result.text);
		return failure(failureKind, context, { serverText, partialText });
	};
	try {
		yield* textsOf(begun, assembly, failed);
	} catch (error) {
		// The server had announced the end, so a failure behind it (a socket left open) does not matter.
		if (!assembly.ended || signal?.aborted === true) throw withPartial(error, assembly);
	} finally {
		reader.close();
	}
	if (assembly.error !== undefined) throw failed('streamError', connection.mask(assembly.error));
	if (!assembly.ended) throw endedEarly(reader, failed);
	const completion = withRealEnd(assembly.result, kind, settings.parameters.maxTokens);
	const server = identifiedKind(kind);
	return {
		...completion,
		...optional({ server }),
		notes: [...notes, ...notesOnIgnored(settings, completion, kind)],
	};
}

/** The notes for options that the answer shows to be ignored: many servers read few fields of this route. */
function notesOnIgnored(
	settings: CompleteSettings,
	completion: Completion,
	serverKind: KindName,
): string[] {
	const { text, usage, stopType = '' } = completion;
	const finishReason = stopType === 'limit' ? 'length' : stopType;
	const { parameters } = settings;
	const reached = noteOnReachedLimit({ parameters, serverKind }, { usage, finishReason });
	return [
		...notesOnIgnoredLimits(settings, { text, reasoning: '', usage, finishReason }),
		...(reached === undefined ? [] : [reached]),
	];
}

/** Where a server always says that the model had finished, the number of tokens tells whether the limit ended it. */
function withRealEnd(completion: Completion, kind: KindName, maxTokens?: number): Completion {
	const { hiddenLimit } = kindOf(kind).completion;
	const tokens = completion.usage?.completionTokens;
	if (!reachesHiddenLimit(hiddenLimit, maxTokens, tokens)) return completion;
	return { ...completion, stopType: 'limit' };
}

/** The pieces of text, up to the end or to an error of the server. */
async function* textsOf(
	{ reader, connection }: Begun & Pick<Attempt, 'connection'>,
	assembly: CompletionAssembly,
	failed: FailedAnswer,
): AsyncGenerator<string, void> {
	for await (const batch of reader.batches) {
		const text = textOf(batch, assembly, connection, failed);
		if (assembly.error !== undefined) return;
		if (text !== '') {
			reader.content();
			yield text;
		}
		if (assembly.ended) reader.expectEnd();
	}
}

type FailedAnswer = (
	kind: 'invalidAnswer' | 'streamError' | 'streamEndedEarly',
	serverText?: string,
) => ServerError;

/** The text of events that arrived together. */
function textOf(
	batch: readonly ServerSentEvent[],
	assembly: CompletionAssembly,
	connection: Connection,
	failed: FailedAnswer,
): string {
	let text = '';
	for (const { data } of batch) {
		const piece = assembly.push(data === '[DONE]' ? data : parseJson(data));
		if (piece === undefined) throw failed('invalidAnswer', connection.maskStart(data, 500));
		text += piece;
	}
	return text;
}

/** Lines that are no events are an error message of the server or of a proxy. */
function endedEarly(reader: EventStream, failed: FailedAnswer): ServerError {
	const stray = reader.strayLines();
	if (stray.length === 0) return failed('streamEndedEarly');
	return failed('streamError', stray.join('\n') || undefined);
}

function withPartial(error: unknown, { result }: CompletionAssembly): unknown {
	return error instanceof ServerError ? error.withPartial({ text: result.text }) : error;
}

/** By server and model: its native routes are missing, as behind a gateway that passes on the signs of a server. */
const withoutNativeRoutes = LruCache.shared<true>({ ttlMs: 10 * 60_000 });

interface PlacedAttempt extends Attempt {
	place: Place;
}

/** Asks on the native route of the server, or where that is missing on OpenAI's. */
async function begin(
	attempt: PlacedAttempt,
	settings: CompleteSettings,
	task: CompleteTask,
	signal: AbortSignal | undefined,
): Promise<Begun> {
	const { connection, model } = attempt;
	const kind = await askServerKind(connection, model, { signal });
	const place = `${connection.id} ${model}`;
	const request = completionRequest(connection.url, kind, task, { ...settings, model });
	if (request.url === `${connection.url.api}/completions`)
		return await beginWith(attempt, request, kind, settings, signal);
	if (!withoutNativeRoutes.has(place)) {
		const outcome = await beginWith(attempt, request, kind, settings, signal).catch(asFailed);
		if (!('failed' in outcome)) return outcome;
		if (outcome.failed.kind !== 'wrongPath') throw outcome.failed;
		withoutNativeRoutes.set(place, true);
	}
	const gateway = await gatewayKind(connection, signal);
	const openAi = completionRequest(connection.url, gateway, task, { ...settings, model });
	return await beginWith(attempt, openAi, gateway, settings, signal);
}

/** The kind of a server whose headers are those of another one behind it. */
async function gatewayKind(
	connection: Connection,
	signal: AbortSignal | undefined,
): Promise<KindName> {
	const kind = await askServerKindAgain(connection, { signal });
	return kindOf(kind).completion.prompt === '/completions' ? kind : UNIDENTIFIED;
}

async function beginWith(
	attempt: PlacedAttempt,
	request: CompletionRequest,
	kind: KindName,
	{ parameters: { extraBody } }: CompleteSettings,
	signal: AbortSignal | undefined,
): Promise<Begun> {
	const { connection, model, limits, newRetryPolicy, place } = attempt;
	const about = { model };
	const { url, json, framing } = request;
	const send = async (body: JsonRecord) =>
		await connection
			.stream(url, {
				json: body,
				signal,
				about,
				place,
				limits,
				framing,
				retry: newRetryPolicy(),
				beginning: beginningOf(connection, beginOrError, about),
			})
			.then((reader) => ({ reader }), asFailed);
	let outcome = await sendAccepted(send, json, attempt, extraBody);
	const isEmpty = 'failed' in outcome && outcome.failed.facts.isEmptyStream === true;
	if (isEmpty) outcome = await sendAccepted(send, notStreamed(json), attempt, extraBody);
	if ('failed' in outcome)
		throw await withContextAdvice({ connection, model, kind }, outcome.failed, SHORTER, signal);
	return { reader: outcome.reader, kind, notes: outcome.notes };
}

/** Servers refuse options of a stream without one. */
function notStreamed(json: JsonRecord): JsonRecord {
	const body: JsonRecord = { ...json, stream: false };
	delete body.stream_options;
	return body;
}

const SHORTER = 'Or shorten the text.';

/** Decodes an event only as far as its role for the beginning: error, end, or text (anything else). */
function beginOrError({ data }: ServerSentEvent): WireChunk {
	if (data === '[DONE]') return { done: true };
	const json = parseJson(data);
	const isError = isRecord(json) && errorIn(json, undefined, data) !== undefined;
	return isError ? { error: { message: data } } : { text: data };
}
