/** A decision model has no chat: some servers reject one, others write noise. */
import { createServerError } from '../errors/create-error';
import { toErrorContext } from '../http/request-errors';
import { matchesModel, toShownModelName } from './model-names';
import { parseModels } from './parse-models';
import { tryProbe } from './probe';
import { getProfile } from './profile';
import { toListUrl } from './server-urls';
import type { ModelServer } from './types/server-type';

/**
 * Rejects a model that only decides, as the list of the server says. It costs a request only if the list that is known says so:
 * the server may have another model by now.
 *
 * @throws {ServerError} of type `wrongModelType`
 */
export async function assertWritesText(
	server: ModelServer,
	model: string,
	signal?: AbortSignal,
): Promise<void> {
	const known = getProfile(server).findKnownModel(model);
	if (known?.writesText !== false) return;
	const url = toListUrl(server);
	const list = await tryProbe(server, url, { signal });
	const models = parseModels(list?.json) ?? [];
	if (models.find((one) => matchesModel(one, known.id))?.writesText !== false) return;
	throw createServerError('wrongModelType', toErrorContext(server, { url, model }), {
		about: { decisionModel: toShownModelName(known.id) },
	});
}

/**
 * Whether a model answers typed questions, and writes no text: by the list that is known, without a request, or by the facts
 * about the model, where only these tell it.
 *
 * @returns false if the server does not say it
 */
export async function decidesOnly(
	server: ModelServer,
	model: string,
	signal?: AbortSignal,
): Promise<boolean> {
	const profile = getProfile(server);
	const known = profile.findKnownModel(model);
	if (known?.writesText !== undefined) return !known.writesText;
	const { listsNoDecisions } = await profile.fetchType(signal);
	if (listsNoDecisions !== true) return false;
	return (await profile.fetchModelFacts(model, signal))?.writesText === false;
}
