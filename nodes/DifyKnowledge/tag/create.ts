import { createTag } from '../../../lib/dify/knowledge/tags';
import type { DifyOperation } from '../../shared/dify/run';
import { nameField } from './fields';

export const tagCreate: DifyOperation = {
	option: { name: 'Create', value: 'create', action: 'Create a tag' },
	fields: [nameField],
	run: async ({ api, parameters }) => [{ json: await createTag(api, parameters.name('name')) }],
};
