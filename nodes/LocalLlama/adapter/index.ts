import type { LocalLlamaResource } from '../operation';
import { getAll } from './get-all';
import { set } from './set';

export const adapter: LocalLlamaResource = {
	option: { name: 'Adapter', value: 'adapter', description: 'LoRA adapters of llama-server' },
	operations: [getAll, set],
	preset: 'getAll',
};
