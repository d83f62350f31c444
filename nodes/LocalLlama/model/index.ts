import type { LocalLlamaResource } from '../operation';
import { copy } from './copy';
import { create } from './create';
import { remove } from './delete';
import { get } from './get';
import { getAll } from './get-all';
import { load } from './load';
import { pull } from './pull';
import { unload } from './unload';

export const model: LocalLlamaResource = {
	option: { name: 'Model', value: 'model', description: 'The models of the server' },
	operations: [copy, create, remove, get, getAll, load, pull, unload],
	preset: 'getAll',
	isOfOneServer: true,
};
