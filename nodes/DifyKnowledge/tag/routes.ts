import { tagRoutes } from '../../../lib/dify/knowledge/routes';
import { locatorField } from '../../shared/dify/fields';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { knowledgeOperation, readName } from '../../shared/dify/route-operation';
import { stringField } from '../../shared/field-kinds';
import type { NodeParameters } from '../../shared/parameters';
import { readId } from '../fields';

const tagField = locatorField('Tag', 'tagId', 'searchTags', { required: true });
const tagId = readId('tagId');
const tagIds = (parameters: NodeParameters) => [tagId(parameters)];

const nameField = stringField('Name', 'name', {
	required: true,
	description: 'At most 50 characters',
});

export const tagOperations = [
	knowledgeOperation({
		option: {
			name: 'Get Many',
			value: 'getAll',
			action: 'Get many tags',
			description: 'All tags of the workspace',
		},
		fields: [],
		route: tagRoutes.list,
		values: {},
	}),
	knowledgeOperation({
		option: { name: 'Bind', value: 'bind', action: 'Give a knowledge base a tag' },
		fields: [datasetField, tagField],
		route: tagRoutes.bind,
		values: { target_id: datasetIdIn, tag_ids: tagIds },
		items: (_, { target_id: datasetId, tag_ids: [tag] }) => ({
			datasetId,
			tagId: tag,
			bound: true,
		}),
	}),
	knowledgeOperation({
		option: { name: 'Unbind', value: 'unbind', action: 'Take a tag from a knowledge base' },
		fields: [datasetField, tagField],
		route: tagRoutes.unbind,
		values: { target_id: datasetIdIn, tag_id: tagId, tag_ids: tagIds },
		items: (_, { target_id: datasetId, tag_id: tag }) => ({
			datasetId,
			tagId: tag,
			bound: false,
		}),
	}),
	knowledgeOperation({
		option: {
			name: 'Get of a Knowledge Base',
			value: 'getOfBase',
			action: 'Get the tags of a knowledge base',
		},
		fields: [datasetField],
		route: tagRoutes.listOfBase,
		values: { dataset_id: datasetIdIn },
	}),
	knowledgeOperation({
		option: { name: 'Create', value: 'create', action: 'Create a tag' },
		fields: [nameField],
		route: tagRoutes.create,
		values: { name: readName('name') },
	}),
	knowledgeOperation({
		option: { name: 'Rename', value: 'rename', action: 'Rename a tag' },
		fields: [tagField, { ...nameField, displayName: 'New Name' }],
		route: tagRoutes.rename,
		values: { tag_id: tagId, name: readName('name') },
	}),
	knowledgeOperation({
		option: { name: 'Delete', value: 'delete', action: 'Delete a tag' },
		fields: [tagField],
		route: tagRoutes.delete,
		values: { tag_id: tagId },
		items: (existed, { tag_id }) => ({ tagId: tag_id, deleted: true, existed }),
	}),
];
