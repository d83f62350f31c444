import type { IDataObject } from 'n8n-workflow';

import { asFailed } from '../../../lib/errors/server-error';
import { listModels } from '../../../lib/servers/list-models';
import { countOfParameters, type ServerModel } from '../../../lib/servers/models';
import { knownKind } from '../../../lib/servers/kinds';
import type { Server } from '../../../lib/servers/kinds/kind';
import { booleanField, optionsCollection } from '../../shared/field-kinds';
import type { LocalLlamaOperation } from '../operation';

export const modelGetAll: LocalLlamaOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many models',
		description: 'Name, context, size, abilities and state of each model. Loads nothing.',
	},
	fields: [
		optionsCollection([
			booleanField('Only Loaded Models', 'onlyLoaded', true, {
				description: 'Whether to leave out models that are not in memory, where the server tells',
			}),
		]),
	],
	run: async ({ server, parameters, signal }) => {
		const onlyLoaded = parameters.flag('options.onlyLoaded', false);
		const items = (await modelsOf(server, signal)).map((model) => itemOf(model, server));
		return items.filter(({ loaded }) => !onlyLoaded || loaded !== false).map((json) => ({ json }));
	},
};

/** None where the list is empty. */
async function modelsOf(server: Server, signal: AbortSignal): Promise<ServerModel[]> {
	const models = await listModels(server, signal).catch(asFailed);
	if (!('failed' in models)) return models;
	if (models.failed.kind === 'modelNotFound') return [];
	throw models.failed;
}

/** The fields of an item; null = not known. */
const UNKNOWN = {
	context: null,
	trainedContext: null,
	parameters: null,
	size: null,
	quantization: null,
	vision: null,
	audio: null,
	tools: null,
	embeddings: null,
	remoteHost: null,
	loaded: null,
	state: null,
};

function itemOf(model: ServerModel, server: Server): IDataObject {
	const { id, aliases, state, parameters } = model;
	const known = Object.entries(model).filter(
		([name, value]) => name in UNKNOWN && value !== undefined,
	);
	return {
		id,
		aliases,
		...UNKNOWN,
		...Object.fromEntries(known),
		parameters: countOfParameters(parameters) ?? null,
		loaded: state === undefined ? null : state === 'loaded' || state === 'sleeping',
		server: knownKind(server) ?? 'other',
	};
}
