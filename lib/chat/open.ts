import type { Connection } from '../http/connection';
import { askServerKind, knownServerKind, learnFromHeaders } from '../servers/identify';
import { isIdentified, type KindName } from '../servers/kinds';
import type { ModelAtServer } from '../servers/model-key';
import { type Attempt, untilReady } from '../servers/retry';
import { beginInSpan, type RequestSpan } from '../tracing/span';
import { type AdaptedRequest, adaptRequest } from './adapt';
import type { PreparedCall } from './prepare';
import { mediaOf } from './request/content';
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
	/** The span of this request, which ends with the answer. */
	span: RequestSpan;
}

/**
 * Sends the request, and resolves when its answer begins.
 *
 * @param protocol default: the server's protocol that supports the request
 */
export async function openAnswer(
	connection: Connection,
	prepared: PreparedCall,
	protocol: ChatProtocol | undefined,
): Promise<OpenedAnswer> {
	const attempt = untilReady(connection, prepared.settings);
	const { model } = attempt;
	const sent = await beginInSpan(
		connection,
		{ operation: 'chat', model, ...tracedInput(prepared) },
		async (traced) => await sendTo({ ...attempt, connection: traced }, prepared, protocol),
	);
	learnFromHeaders(connection, sent.reader.headers, model);
	const serverKind = answeringKind(sent.request.serverKind, attempt);
	return { ...sent, connection, model, serverKind };
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
	const { call, messages, draft, pace, place } = prepared;
	const { signal, reuse } = call;
	const kind = draft.dependsOnServer
		? await askServerKind(connection, model, { signal })
		: (knownServerKind(connection, model) ?? 'other');
	const adapted = await adaptRequest(attempt, kind, prepared);
	const media = messages.flatMap(({ content }) => mediaOf(content));
	await refuseUnseenMedia(attempt, kind, media, signal);
	const hasMedia = media.length > 0;
	const protocol = chosenProtocol ?? protocolFor(adapted.request);
	const sending = { ...attempt, pace, place, reuse, signal };
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
