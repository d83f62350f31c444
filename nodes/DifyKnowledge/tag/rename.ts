import { renameTag } from '../../../lib/dify/knowledge/tags';
import type { DifyOperation } from '../../shared/dify/run';
import { idIn } from '../fields';
import { nameField, tagField } from './fields';

export const tagRename: DifyOperation = {
	option: { name: 'Rename', value: 'rename', action: 'Rename a tag' },
	fields: [tagField, { ...nameField, displayName: 'New Name' }],
	run: async ({ api, parameters }) => [
		{ json: await renameTag(api, idIn(parameters, 'tagId'), parameters.name('name')) },
	],
};
