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
import { type Attempt, type Served, ServerPool } from '../servers/pool/server-pool';
import { askServerKind, askServerKindAgain } from '../servers/identify';
import { withContextAdvice } from '../servers/context-facts';
import { requireModel } from '../servers/model-names';
import { type ClientSettings, untilReady } from '../servers/retry';
import { reachesHiddenLimit } from '../servers/kinds/chat-abilities';
import { LruCache } from '../lru-cache';
import {
	identifiedKind,
	type KindName,
	kindOf,
	labelsOf,
	subjectOf,
	UNIDENTIFIED,
} from '../servers/kinds';
import { beginInSpan } from '../tracing/span';
import { parseJson } from '../json';
import { isRecord, type JsonRecord, nonEmptyText, optional } from '../values';
import { sendAccepted } from './send-accepted';
import { suffixSupport } from './suffix-support';
import { type Completion, CompletionAssembly } from './completion';
import {
	type CompletionOptions,
	completionRequest,
	type CompletionRequest,
	type CompletionTask,
} from './completion-request';

export type CompleteSettings = CompletionOptions & ClientSettings;

export interface FinishedCompletion extends Completion {
	/** Left out where nothing told it. */
	server?: KindName;
	notes: string[];
}

/**
 * Continues a prompt, or fills in the gap between two texts. Yields pieces of text as they arrive.
 *
 * @throws {ServerError} with the text that had arrived in `partialText`
 */
export async function* complete(
	servers: Connection | ServerPool,
	settings: CompleteSettings,
	task: CompletionTask,
	signal?: AbortSignal,
): AsyncGenerator<string, FinishedCompletion> {
	checkParameters(settings.parameters);
	requireModel(settings.model);
	const { parameters } = settings;
	const place = new Place(false);
	const send = async ({ connection, ...attempt }: Attempt) =>
		await beginInSpan(
			connection,
			{ operation: 'text_completion', model: attempt.model, parameters },
			async (traced) =>
				await begin({ ...attempt, connection: traced, place }, settings, task, signal),
		);
	const use = 'prefix' in task ? 'fillIn' : 'complete';
	const options = { ...untilReady(settings, signal), use, place };
	const served = await ServerPool.of(servers).open(send, options);
	const { span } = served.value;
	try {
		const completion = yield* readCompletion(served, settings, signal);
		const { model: answeredBy, stopType, usage, timings } = completion;
		const tokensPerSecond = timings?.predicted_per_second;
		span.note({
			provider: served.value.kind,
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

const UNKNOWN_USE =
	'The server does not say how many tokens it read, so it is not known whether it read the text behind the gap: many ignore it.';

async function* readCompletion(
	served: Served<Begun>,
	settings: CompleteSettings,
	signal: AbortSignal | undefined,
): AsyncGenerator<string, FinishedCompletion> {
	const { model } = served;
	const { reader, kind, notes } = served.value;
	const assembly = new CompletionAssembly();
	const context = served.connection.contextOf(reader.url, { model });
	const failed: FailedAnswer = (failureKind, serverText) => {
		const partialText = nonEmptyText(assembly.result.text);
		return failure(failureKind, context, { serverText, partialText });
	};
	try {
		yield* textsOf(served, assembly, failed);
	} catch (error) {
		// The server had announced the end, so a failure behind it (a socket left open) does not matter.
		if (!assembly.ended || signal?.aborted === true) throw withPartial(error, assembly);
	} finally {
		reader.close();
		served.release();
	}
	if (assembly.error !== undefined)
		throw failed('streamError', served.connection.mask(assembly.error));
	if (!assembly.ended) throw endedEarly(reader, failed);
	const completion = withRealEnd(assembly.result, kind, settings.parameters.maxTokens);
	const server = identifiedKind(kind);
	return {
		...requestedResult(completion, settings),
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
	const { text, usage, stopType = '', logprobs } = completion;
	const finishReason = stopType === 'limit' ? 'length' : stopType;
	const { parameters } = settings;
	const reached = noteOnReachedLimit({ parameters, serverKind }, { usage, finishReason });
	const limits = [
		...notesOnIgnoredLimits(settings, { text, reasoning: '', usage, finishReason }),
		...(reached === undefined ? [] : [reached]),
	];
	const isUntold = (settings.logprobs ?? 0) > 0 && logprobs === undefined && text !== '';
	return isUntold ? [...limits, NO_PROBABILITIES] : limits;
}

const NO_PROBABILITIES =
	'The answer has no probabilities: this server seems to ignore *Log Probabilities*.';

/** Where a server always says that the model had finished, the number of tokens tells whether the limit ended it. */
function withRealEnd(completion: Completion, kind: KindName, maxTokens?: number): Completion {
	const { hiddenLimit } = kindOf(kind).completion;
	const tokens = completion.usage?.completionTokens;
	if (!reachesHiddenLimit(hiddenLimit, maxTokens, tokens)) return completion;
	return { ...completion, stopType: 'limit' };
}

/** The pieces of text, up to the end or to an error of the server. */
async function* textsOf(
	{ value: { reader }, connection }: Served<Begun>,
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

/** llama-server streams the tokens even if not asked. */
function requestedResult(completion: Completion, { returnTokens }: CompleteSettings): Completion {
	const { tokens, ...result } = completion;
	return returnTokens === true ? { ...result, ...optional({ tokens }) } : result;
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
	task: CompletionTask,
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
	const { prompt, fillIn } = kindOf(kind).completion;
	return prompt === '/completions' && fillIn === '/completions' ? kind : UNIDENTIFIED;
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
	const use = hasSuffix(request) ? await suffixSupport(attempt, kind, signal) : 'read';
	if (use === 'ignored') throw suffixIgnored(connection, url, model, kind);
	const send = async (body: JsonRecord) =>
		await connection
			.stream(url, {
				json: () => ({ ...optional({ id_slot: place.slotAt(connection.url.api) }), ...body }),
				signal,
				about,
				place,
				limits,
				framing,
				retry: newRetryPolicy?.(),
				beginning: beginningOf(connection, beginOrError, about),
			})
			.then((reader) => ({ reader }), asFailed);
	let outcome = await sendAccepted(send, json, attempt, kind, extraBody);
	const isEmpty = 'failed' in outcome && outcome.failed.facts.isEmptyStream === true;
	if (isEmpty) outcome = await sendAccepted(send, notStreamed(json), attempt, kind, extraBody);
	if ('failed' in outcome) {
		const failed = cannotFillIn(outcome.failed, model, kind) ?? outcome.failed;
		throw await withContextAdvice({ connection, model, kind }, failed, SHORTER, signal);
	}
	const unknownUse = use === 'unknown' ? [UNKNOWN_USE] : [];
	return { reader: outcome.reader, kind, notes: [...outcome.notes, ...unknownUse] };
}

/** Servers refuse options of a stream without one. */
function notStreamed(json: JsonRecord): JsonRecord {
	const body: JsonRecord = { ...json, stream: false };
	delete body.stream_options;
	return body;
}

const SHORTER = 'Or shorten the text.';

function hasSuffix({ framing, json }: CompletionRequest): boolean {
	return framing === 'sse' && typeof json.suffix === 'string' && json.suffix.trim() !== '';
}

function suffixIgnored(
	connection: Connection,
	url: string,
	model: string,
	kind: KindName,
): ServerError {
	const message = `${subjectOf(kind)} cannot fill in`;
	return connection.failure('notSupported', {
		url,
		model,
		message,
		meaning: `${message} with the model "${model}": it goes on after the text in front, and ignores the one behind without a word`,
		remedy: useAnotherServer(),
	});
}

function useAnotherServer(): string {
	const servers = labelsOf(({ completion }) => completion.fillIn !== '/completions');
	return `Use one of these with a model that was trained to fill in: ${servers}.`;
}

/** Decodes an event only as far as its role for the beginning: error, end, or text (anything else). */
function beginOrError({ data }: ServerSentEvent): WireChunk {
	if (data === '[DONE]') return { done: true };
	const json = parseJson(data);
	const isError = isRecord(json) && errorIn(json, undefined, data) !== undefined;
	return isError ? { error: { message: data } } : { text: data };
}

/** Refusals to fill in: llama-server names the tokens that the model lacks, Ollama needs a suffix in the template. */
const MISSING_TOKENS = /Infill is not supported by this model:\s*(.*\S)\s*$/is;
const NO_INSERT = /does not support insert/i;
/** Of servers that know no suffix, whatever the model is. */
const REFUSES_SUFFIX =
	/\bsuffix['"`]? (?:is|are) (?:only|not)\b|\bsuffix: extra inputs|\bunsupported param(?:eter)?: ['"`]?suffix\b/i;

function cannotFillIn(failed: ServerError, model: string, kind: KindName): ServerError | undefined {
	const { serverText = '' } = failed;
	if (REFUSES_SUFFIX.test(serverText)) return refusesSuffix(failed, kind);
	const [, missingTokens] = MISSING_TOKENS.exec(serverText) ?? [];
	const noPlace = NO_INSERT.test(serverText)
		? 'Its template on the server has no place for the text behind'
		: undefined;
	const why = missingTokens ?? noPlace;
	if (why === undefined) return undefined;
	return failed.reworded({
		kind: 'notSupported',
		message: `The model "${model}" cannot fill in`,
		meaning: `The model "${model}" cannot fill in: ${why.replace(/\.$/, '')}`,
		remedy:
			'Choose a model that was trained to fill in ("fill in the middle"), for example Qwen2.5-Coder base, StarCoder2 or CodeGemma. Models that only chat cannot.',
	});
}

function refusesSuffix(failed: ServerError, kind: KindName): ServerError {
	const message = `${subjectOf(kind)} cannot fill in`;
	return failed.reworded({
		kind: 'notSupported',
		message,
		meaning: `${message}: it takes no text behind the gap`,
		remedy: useAnotherServer(),
	});
}
