import { askServerKind, knownServerKind, learnFromHeaders } from '../servers/identify';
import { isIdentified, type KindName, kindOf } from '../servers/kinds';
import { resumableAt } from '../servers/manage/resumable-answers';
import type { Skipped } from '../servers/pool/failover';
import type { Attempt, ServerPool } from '../servers/pool/server-pool';
import { untilReady } from '../servers/retry';
import { withServerAdvice } from './server-advice';
import type { PreparedCall } from './prepare';
import { withoutControlTokens } from './request/control-tokens';
import { withoutIneffectiveOptions } from './request/ineffective-options';
import { type ChatSettings, hasPicture } from './request/request';
import { toolTemplate } from './request/tool-template';
import { type BegunAnswer, sendRequest } from './send';
import { fitThinkingLimit } from './thinking-limit';
import type { ChatRequest } from './types';
import { beginInSpan, type RequestSpan } from '../tracing/span';
import type { ChatProtocol } from './wire/protocol';
import { protocolFor } from './wire/protocols';

/** A model on a server. */
export type Place = Pick<Attempt, 'connection' | 'model'>;

/** An answer that a server has begun. */
export interface OpenedAnswer extends Place, BegunAnswer {
	request: ChatRequest;
	serverKind: KindName;
	/** The model's chat template, if its server shows it. */
	template?: string;
	passedOver: Skipped[];
	/** The span of this request, which ends with the answer. */
	span: RequestSpan;
	/** Frees the place in the server's queue. */
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
	const { settings, call, messages, conversation, place } = prepared;
	const { parameters, trace } = settings;
	const stop = [...(parameters.stop ?? []), ...(call.stop ?? [])];
	const send = async ({ connection, ...attempt }: Attempt) =>
		await beginInSpan(
			connection,
			{
				operation: 'chat',
				model: attempt.model,
				parameters: { ...parameters, stop },
				trace,
				input: messages,
			},
			async (traced) => await sendTo({ ...attempt, connection: traced }, prepared, protocol),
		);
	const served = await servers.open(send, {
		...untilReady(settings, call.signal),
		conversation,
		place,
	});
	const { connection, model, passedOver, value } = served;
	learnFromHeaders(connection, value.reader.headers, model);
	const { serverKind: asserted } = value.request;
	const serverKind = !isIdentified(asserted)
		? (knownServerKind(connection, model) ?? 'other')
		: asserted;
	return { ...value, connection, model, passedOver, serverKind, release: () => served.release() };
}

/** Sends the request to one server, and resolves when its answer begins. */
async function sendTo(
	attempt: Attempt,
	{ settings, call: { signal, reuse }, messages, draft, pace, place }: PreparedCall,
	protocol: ChatProtocol | undefined,
): Promise<BegunAnswer & Pick<OpenedAnswer, 'request' | 'template'>> {
	const { connection, model } = attempt;
	const kind = await serverKindOf(settings, attempt, draft.dependsOnServer, signal);
	const drafted = draft.forServer(kind);
	const fitted = await withoutIneffectiveOptions(connection, { ...drafted.request, model });
	const limited = fitThinkingLimit(connection, modelKey(attempt), fitted.request);
	const { request, notes: broken } =
		settings.controlTokens === 'leave'
			? { request: limited.request, notes: [] }
			: await withoutControlTokens(connection, limited.request);
	const { template, dropsTools } = await toolTemplate(connection, request);
	if (messages.some(hasPicture))
		await kindOf(kind).chat.refuseUnseenPictures?.(connection, model, signal);
	const wanted = protocol ?? protocolFor(request);
	const resumable =
		kindOf(kind).chat.mayResumeAnswers === true ? await resumableAt(connection, signal) : undefined;
	const send = async () =>
		await sendRequest({ ...attempt, pace, place, resumable, reuse, signal }, wanted, request);
	const told = async (error: unknown) =>
		await withServerAdvice(connection, error, { model, kind, signal });
	const { api } = connection.url;
	const sent = await send().catch(async (error: unknown) => {
		const failed = await told(error);
		if (connection.url.api === api) throw failed;
		// Identifying the server found that its routes are at the root, without a version.
		return await send().catch(async (again: unknown) => {
			throw await told(again);
		});
	});
	const notes = [
		...drafted.notes,
		...fitted.notes,
		...limited.notes,
		...broken,
		...(dropsTools ? [kindOf(kind).words.toolsDropped] : []),
		...sent.notes,
	];
	return { ...sent, request, notes, ...(template === undefined ? {} : { template }) };
}

/** @param matters whether to ask the server if its kind is unknown */
export async function serverKindOf(
	{ serverKind }: ChatSettings,
	{ connection, model }: Place,
	matters: boolean,
	signal: AbortSignal | undefined,
): Promise<KindName> {
	if (serverKind !== 'auto') return serverKind;
	return matters
		? await askServerKind(connection, model, { signal })
		: (knownServerKind(connection, model) ?? 'other');
}

export function modelKey({ connection, model }: Place): string {
	return `${connection.url.api} ${model}`;
}
