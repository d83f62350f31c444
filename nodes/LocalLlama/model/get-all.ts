import { captureError, ServerError } from '../../../lib/errors/server-error';
import { toModelFacts } from '../../../lib/health/facts';
import { listModels } from '../../../lib/servers/list-models';
import type { ServerModel } from '../../../lib/servers/models';
import { getProfile } from '../../../lib/servers/profile';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { omitUndefined } from '../../../lib/values';
import { booleanField, optionsCollection } from '../../shared/field-builders';
import type { LocalLlamaOperation } from '../operation';

export const modelGetAll: LocalLlamaOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many models',
		description: 'List the models with name, context, size, capabilities and state. Loads nothing.',
	},
	fields: [
		optionsCollection([
			booleanField('Only Loaded Models', 'onlyLoaded', true, {
				description: 'Whether to return only models in memory, if the server reports this',
			}),
		]),
	],
	runsOnceForAllItems: true,
	run: async ({ server, parameters, signal, itemIndex }) => {
		const onlyLoaded = parameters.boolean('options.onlyLoaded', false);
		const models = (await fetchModels(server, signal)).map(toModelFacts);
		const listedModels = models.filter(({ loaded }) => !onlyLoaded || loaded !== false);
		// The state says whether a model is loaded.
		return listedModels.map((model) => ({
			json: omitUndefined({
				...model,
				loaded: undefined,
				server: getProfile(server).getCachedType()?.name ?? 'other',
			}),
			// Pairing each model with each input item would grow with both.
			from: itemIndex,
		}));
	},
};

/** Returns an empty list if the server has no models. */
async function fetchModels(server: ModelServer, signal: AbortSignal): Promise<ServerModel[]> {
	const models = await listModels(server, signal).catch(captureError);
	if (!(models instanceof ServerError)) return models;
	if (models.type === 'modelNotFound') return [];
	throw models;
}
