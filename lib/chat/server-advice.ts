import { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { CallOptions } from '../http/types';
import { isModelNamed, missingModelAdvice } from '../servers/model-names';
import {
	ADVICE_LIMITS,
	type AskedServer,
	withContextAdvice,
	withOwnRemedy,
} from '../servers/context-facts';
import { noModels } from '../servers/model-list';
import { readModelsInSlices } from '../servers/models';
import { askServerKind } from '../servers/identify';
import { isIdentified, type KindName, kindOf } from '../servers/kinds';
import { PLAIN_REMEDIES } from '../servers/kinds/remedies';
import { jsonAt } from '../servers/optional-json';

/** Failures whose advice depends on the kind of server. */
const ADVISED: ReadonlySet<string> = new Set(['modelNotFound', ...Object.keys(PLAIN_REMEDIES)]);
const SHORTER_PROMPT =
	'Or keep fewer messages in the memory or set History Budget in Local Chat Model, use fewer tools, or shorten the input.';
/** How servers fail at pictures and sound that their model cannot read. Few of them say so. */
const PERHAPS_OF_MEDIA: ReadonlySet<string> = new Set(['serverError', 'badRequest']);
const WITHOUT_MEDIA =
	'The request had pictures, sound or video: try it without them, the model may not be able to read them. Else read the text of the server and its log.';
/** A server that lists models which it has not loaded, as LM Studio does. */
const NOT_LOADED = /\bno models? loaded\b/i;

/** Refusals that name no cause. Modular's MAX says "Value error." of an unknown model (seen: 26.6.0). */
const NAMES_NO_CAUSE = /^(?:value error|bad request|invalid request)?[.!]?$/i;

/**
 * Adds advice for the kind of server to an error: the models that it has, how to get a larger context, or that it
 * cannot chat. Other errors are returned unchanged.
 *
 * @param asked `hasMedia`: the request has pictures, sound or video
 */
export async function withServerAdvice(
	connection: Connection,
	error: unknown,
	asked: { model: string; kind: KindName; hasMedia: boolean; signal?: AbortSignal },
): Promise<unknown> {
	if (!(error instanceof ServerError)) return error;
	if (asked.hasMedia && PERHAPS_OF_MEDIA.has(error.kind))
		return error.reworded({ remedy: WITHOUT_MEDIA });
	if (ADVISED.has(error.kind)) return await withAdviceOfKind(connection, error, asked);
	const namesNoCause = error.kind === 'badRequest' && NAMES_NO_CAUSE.test(error.serverText ?? '');
	return namesNoCause ? await withUnlistedModel(connection, error, asked) : error;
}

/** Where a server names no cause, a model that is not in its list is one. */
async function withUnlistedModel(
	connection: Connection,
	error: ServerError,
	asked: { model: string; kind: KindName; signal?: AbortSignal },
): Promise<ServerError> {
	const limits = { ...ADVICE_LIMITS, signal: asked.signal };
	const list = await readModelsInSlices(
		await jsonAt(connection, `${connection.url.api}/models`, limits),
	);
	if (list === undefined || list.length === 0) return error;
	if (list.some((listed) => isModelNamed(listed, asked.model))) return error;
	const { status, serverText, url = connection.url.api } = error;
	const { model } = asked;
	const missing = connection.failure('modelNotFound', { url, model, status, serverText });
	return await withAdviceOfKind(connection, missing, asked);
}

async function withAdviceOfKind(
	connection: Connection,
	error: ServerError,
	{ model, kind, signal }: { model: string; kind: KindName; signal?: AbortSignal },
): Promise<ServerError> {
	const known = isIdentified(kind)
		? kind
		: await askServerKind(connection, model, { signal, limitMs: ADVICE_LIMITS.timeoutMs });
	const server = { connection, model, kind: known };
	const limits = { ...ADVICE_LIMITS, signal };
	if (error.kind === 'modelNotFound') return await withModelAdvice(server, error, limits);
	if (error.kind === 'wrongPath') return await withRouteAdvice(server, error, limits);
	if (!isIdentified(known)) return error;
	if (error.kind === 'contextOverflow')
		return await withContextAdvice(server, error, SHORTER_PROMPT, signal);
	return isIdentified(kind) ? error : withOwnRemedy(error, known);
}

/** Why a server has no route for chats: it has no model at all, or its model is for something else. */
async function withRouteAdvice(
	{ connection, model, kind }: AskedServer,
	error: ServerError,
	limits: CallOptions,
): Promise<ServerError> {
	// NVIDIA Dynamo has its routes only while a model serves them, and says nothing else.
	if (!isIdentified(kind) && error.serverText === undefined) {
		const list = await readModelsInSlices(
			await jsonAt(connection, `${connection.url.api}/models`, limits),
		);
		return list?.length === 0 ? noModels(connection, kind) : error;
	}
	if (!isIdentified(kind) || kindOf(kind).hasEveryRoute) return error;
	// The path is right, so it cannot chat (vLLM with an embedding model, infinity).
	const { status, serverText, url = connection.url.api } = error;
	return connection.failure('wrongModelType', { url, model, status, serverText });
}

/** The models that the server has. */
async function withModelAdvice(
	{ connection, model, kind }: AskedServer,
	error: ServerError,
	limits: CallOptions,
): Promise<ServerError> {
	const list = await jsonAt(connection, `${connection.url.api}/models`, limits);
	const ids = ((await readModelsInSlices(list)) ?? []).map(({ id }) => id);
	if (ids.includes(model) && NOT_LOADED.test(error.serverText ?? ''))
		return error.reworded({
			message: `The server has not loaded the model "${model}"`,
			remedy: kindOf(kind).words.notLoaded ?? 'Load it on the server.',
		});
	// The one that it refuses may be in its list (Open WebUI: the key may not use what it is based on).
	const others = ids.filter((id) => id !== model);
	const remedy = missingModelAdvice(others, kindOf(kind).words.missingModel?.(model));
	if (remedy === '') return error;
	return error.reworded({ remedy, facts: { ...error.facts, models: ids.slice(0, 50) } });
}
