/** Whether a model answers typed questions, and writes no text. */
import { getProfile } from './profile';
import type { ModelServer } from './types/server-type';

/**
 * By the list that is known, without a request, or by the facts about the model, where only these tell it.
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
