/** Compares the model that a response names with the requested one. */
import { hasModelName, isSameModelName } from './model-names';
import { parseModels } from './models';
import { tryProbeJson } from './probe';
import { getProfile } from './profile';
import type { ModelServer } from './types/server-type';

/**
 * The model that a response names, if it is not the requested one. Gateways report their own names; another server does
 * so if it lists the requested name, but not the reported one.
 */
export async function findOtherModel(
	server: ModelServer,
	requested: string,
	reported: string,
	signal?: AbortSignal,
): Promise<string | undefined> {
	if (isSameName(reported, requested)) return undefined;
	const profile = getProfile(server);
	const { isGateway, isSameModel } = await profile.getType(signal);
	if (isGateway === true || isSameModel?.(reported, requested) === true) return undefined;
	const list = await tryProbeJson(server, `${profile.getApiUrl()}/models`, { signal });
	const models = parseModels(list) ?? [];
	const requestedModel = models.find((model) => hasModelName(model, requested, isSameName));
	if (requestedModel === undefined) return reported;
	const isListed = models.some((model) => hasModelName(model, reported, isSameName));
	return isListed && !hasModelName(requestedModel, reported, isSameName) ? reported : undefined;
}

function isSameName(a: string, b: string): boolean {
	return isSameModelName(withoutTag(a), withoutTag(b));
}

/** The file name before a tag. */
function withoutTag(name: string): string {
	const fileName = name.split(/[/\\]/).at(-1) ?? name;
	return fileName.split(':')[0] ?? '';
}
