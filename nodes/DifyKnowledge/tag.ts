import { bindTags, createTag, deleteTag, listTags, renameTag, tagsOf, unbindTags } from '../../lib/dify/knowledge/tags';
import { datasetField, datasetIdIn, locatorField } from '../shared/dify/knowledge-fields';
import type { KnowledgeOperation } from './call';
import { idIn } from './fields';

const tagField = locatorField('Tag', 'tagId', 'searchTags', { required: true });

const nameField = {
	displayName: 'Name',
	name: 'name',
	type: 'string' as const,
	default: '',
	required: true,
	description: 'At most 50 characters',
};

export const tagCreate: KnowledgeOperation = {
	option: { name: 'Create', value: 'create', action: 'Create a tag' },
	fields: [nameField],
	run: async ({ api, parameters, signal }) => [await createTag(api, parameters.name('name'), signal)],
};

export const tagDelete: KnowledgeOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a tag' },
	fields: [tagField],
	run: async ({ api, parameters, signal }) => {
		const tagId = idIn(parameters, 'tagId');
		return [{ tagId, deleted: true, existed: await deleteTag(api, tagId, signal) }];
	},
};

export const tagGetAll: KnowledgeOperation = {
	option: { name: 'Get Many', value: 'getAll', action: 'Get many tags', description: 'All tags of the workspace' },
	fields: [],
	run: async ({ api, signal }) => await listTags(api, signal),
};

export const tagRename: KnowledgeOperation = {
	option: { name: 'Rename', value: 'rename', action: 'Rename a tag' },
	fields: [tagField, { ...nameField, displayName: 'New Name' }],
	run: async ({ api, parameters, signal }) => [
		await renameTag(api, idIn(parameters, 'tagId'), parameters.name('name'), signal),
	],
};

export const tagBind: KnowledgeOperation = {
	option: { name: 'Bind', value: 'bind', action: 'Give a knowledge base a tag' },
	fields: [datasetField, tagField],
	run: async ({ api, parameters, signal }) => {
		const [datasetId, tagId] = [datasetIdIn(parameters), idIn(parameters, 'tagId')];
		await bindTags(api, datasetId, [tagId], signal);
		return [{ datasetId, tagId, bound: true }];
	},
};

export const tagUnbind: KnowledgeOperation = {
	option: { name: 'Unbind', value: 'unbind', action: 'Take a tag from a knowledge base' },
	fields: [datasetField, tagField],
	run: async ({ api, parameters, signal }) => {
		const [datasetId, tagId] = [datasetIdIn(parameters), idIn(parameters, 'tagId')];
		await unbindTags(api, datasetId, [tagId], signal);
		return [{ datasetId, tagId, bound: false }];
	},
};

export const tagGetOfBase: KnowledgeOperation = {
	option: { name: 'Get of a Knowledge Base', value: 'getOfBase', action: 'Get the tags of a knowledge base' },
	fields: [datasetField],
	run: async ({ api, parameters, signal }) => await tagsOf(api, datasetIdIn(parameters), signal),
};
