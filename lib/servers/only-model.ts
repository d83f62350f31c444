/** A server with one model uses it for every requested name (docs/protocols/llama-server.md 4.3). */
import type { ModelServer } from './types/server-type';
import { isSameModelName, matchesModel, toShownModelName } from './model-names';
import { getProfile } from './profile';

/** The names of a model around a response. */
export interface ResponseModelNames {
	requested: string;
	/** Undefined if the response names none. */
	reported: string | undefined;
}

/** A warning if the server used its only model instead of the requested one; without a request. */
export function getOnlyModelWarnings(
	server: ModelServer,
	{ requested, reported }: ResponseModelNames,
): string[] {
	const onlyModel = getProfile(server).getOnlyModel();
	const isOther = reported && onlyModel && !isSameModelName(reported, requested);
	if (
		!isOther ||
		!matchesModel(onlyModel, reported, isSameModelName) ||
		matchesModel(onlyModel, requested, isSameModelName)
	)
		return [];
	return [
		`The server does not have the model "${toShownModelName(requested)}" and used its only model, "${toShownModelName(onlyModel.id)}". Select that model in the node, or start the server with the other one.`,
	];
}
