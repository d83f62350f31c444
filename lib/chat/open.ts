import type { Connection } from '../http/connection';
import { askServerKind, knownServerKind, learnFromHeaders } from '../servers/identify';
import { isIdentified, type KindName, kindOf } from '../servers/kinds';
import { resumableAt } from '../servers/manage/resumable-answers';
import type { ModelAtServer } from '../servers/model-key';
import type { Skipped } from '../servers/pool/failover';
import type { Attempt, ServerPool } from '../servers/pool/server-pool';
import { untilReady } from '../servers/retry';
import { beginInSpan, type RequestSpan } from '../tracing/span';
import { type AdaptedRequest, adaptRequest } from './adapt';
import type { PreparedCall } from './prepare';
import { mediaOf } from './request/content';
import type { ChatSettings } from './request/request';
import { sendRequest, type SentRequest } from './send';
import { withServerAdvice } from './server-advice';
import { refuseUnseenMedia } from './unseen-media';
import type { ChatProtocol } from './wire/protocol';
import { protocolFor } from './wire/protocols';

/** An answer that a server has begun. */
export interface OpenedAnswer
	extends Pick<Attempt, 'connection' | 'model'>,
		AdaptedRequest,
		SentRequest {
	serverKind: KindName;
	passedOver: Skipped[];
	/** The span of this request, which ends with the answer. */
	span: RequestSpan;
	/** Ends the counting of the request as running, and frees its place where several servers were asked. */
	release(): void;
}

/**
 * Sends the request to one server after the other until an answer begins.
 *
 * @param protocol default: the server's protocol that supports the request
 */
export async function openAnswer(
	servers: ServerPool,
	prepared: PreparedCall,
	protocol: ChatProtocol | undefined,
): Promise<OpenedAnswer> {
	const { settings, call, conversation, place } = prepared;
	const { serverKind: chosen } = settings;
	const send = async (attempt: Attempt) =>
		await beginInSpan(
			attempt.connection,
			{ operation: 'chat', model: attempt.model, ...tracedInput(prepared) },
			async (connection) => await sendTo({ ...attempt, connection }, prepared, protocol),
		);
	const served = await servers.open(send, {
		...untilReady(settings, call.signal),
		conversation,
		place,
		chosenKind: chosen === 'auto' ? undefined : chosen,
	});
	const { connection, model, passedOver, value } = served;
	learnFromHeaders(connection, value.reader.headers, model);
	const serverKind = answeringKind(value.request.serverKind, served);
	return { ...value, connection, model, passedOver, serverKind, release: () => served.release() };
}

function tracedInput({ settings, call, messages, place }: PreparedCall) {
	const { parameters, trace } = settings;
	const stop = [...(parameters.stop ?? []), ...(call.stop ?? [])];
	return { parameters: { ...parameters, stop }, trace, input: messages, place };
}

/** The headers of the answer may have identified a server that the request was not made for. */
function answeringKind(requested: KindName, { connection, model }: ModelAtServer): KindName {
	if (isIdentified(requested)) return requested;
	return knownServerKind(connection, model) ?? 'other';
}

/** Sends the request to one server, and resolves when its answer begins. */
async function sendTo(
	attempt: Attempt,
	prepared: PreparedCall,
	chosenProtocol: ChatProtocol | undefined,
): Promise<AdaptedRequest & SentRequest> {
	const { connection, model } = attempt;
	const { settings, call, messages, draft, pace, place } = prepared;
	const { signal, reuse } = call;
	const kind = await serverKindOf(settings, attempt, draft.dependsOnServer, signal);
	const adapted = await adaptRequest(attempt, kind, prepared);
	const media = messages.flatMap(({ content }) => mediaOf(content));
	await refuseUnseenMedia(attempt, kind, media, signal);
	const hasMedia = media.length > 0;
	const { mayResumeAnswers } = kindOf(kind).chat;
	const resumable = mayResumeAnswers === true ? await resumableAt(connection, signal) : undefined;
	const protocol = chosenProtocol ?? protocolFor(adapted.request);
	const sending = { ...attempt, pace, place, resumable, reuse, signal };
	const sent = await sentWhereTheApiIs(
		connection,
		async () => await sendRequest(sending, protocol, adapted.request),
		async (error) => await withServerAdvice(connection, error, { model, kind, hasMedia, signal }),
	);
	return { ...adapted, ...sent, notes: [...adapted.notes, ...sent.notes] };
}

/**
 * Sends a request, and once more where the API is found at another URL: looking for advice on a failure identifies the
 * server, and thereby finds routes without a version.
 *
 * @throws the failure with advice
 */
async function sentWhereTheApiIs<T>(
	connection: Connection,
	send: () => Promise<T>,
	withAdvice: (error: unknown) => Promise<unknown>,
): Promise<T> {
	const urlBefore = connection.url.api;
	const attempt = async () =>
		await send().catch(async (error: unknown) => {
			throw await withAdvice(error);
		});
	return await attempt().catch(async (error: unknown) => {
		if (connection.url.api === urlBefore) throw error;
		return await attempt();
	});
}

/** @param matters whether to ask the server if its kind is unknown */
export async function serverKindOf(
	{ serverKind }: ChatSettings,
	{ connection, model }: Pick<Attempt, 'connection' | 'model'>,
	matters: boolean,
	signal: AbortSignal | undefined,
): Promise<KindName> {
	if (serverKind !== 'auto') return serverKind;
	return matters
		? await askServerKind(connection, model, { signal })
		: (knownServerKind(connection, model) ?? 'other');
}
