import { listAdapters } from '../../../lib/servers/manage/adapters';
import type { LocalLlamaOperation } from '../operation';
import { routerModelField } from '../router-model-field';

export const adapterGetAll: LocalLlamaOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many adapters',
		description: 'One item for each LoRA adapter of llama-server, with its scale',
	},
	fields: [routerModelField],
	run: async ({ connection, parameters, signal }) =>
		(await listAdapters(connection, { model: parameters.name('model'), signal })).map((json) => ({
			json,
		})),
};
