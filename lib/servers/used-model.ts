/** Compares the model that a response names with the requested one. */
import { getDisplayName, matchesModel } from './model-names';
import { parseModels, type ServerModel } from './models';
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
	const requestedModel = models.find((model) => hasName(model, requested));
	if (requestedModel === undefined) return reported;
	const isListed = models.some((model) => hasName(model, reported));
	return isListed && !hasName(requestedModel, reported) ? reported : undefined;
}

function hasName(model: ServerModel, name: string): boolean {
	if (matchesModel(model, name)) return true;
	return [model.id, ...model.aliases].some((id) => isSameName(id, name));
}

function isSameName(a: string, b: string): boolean {
	return toComparableName(a) === toComparableName(b);
}

/** Without path, tag and file ending, in lower case. */
function toComparableName(name: string): string {
	const fileName = name.split(/[/\\]/).at(-1) ?? name;
	const [base = ''] = fileName.split(':');
	return getDisplayName(base).trim().toLowerCase();
}
