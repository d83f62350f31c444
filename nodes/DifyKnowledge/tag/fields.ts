import type { bindTag } from '../../../lib/dify/knowledge/tags';
import { locatorField } from '../../shared/dify/fields';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { stringField } from '../../shared/field-kinds';
import { idIn } from '../fields';

export const tagField = locatorField('Tag', 'tagId', 'searchTags', { required: true });

export const nameField = stringField('Name', 'name', {
	required: true,
	description: 'At most 50 characters',
});

/** An operation that adds a tag to a knowledge base, or removes it. */
export function bindingOperation(
	option: DifyOperation['option'],
	change: typeof bindTag,
	bound: boolean,
): DifyOperation {
	return {
		option,
		fields: [datasetField, tagField],
		run: async ({ api, parameters }) => {
			const [datasetId, tagId] = [datasetIdIn(parameters), idIn(parameters, 'tagId')];
			await change(api, datasetId, tagId);
			return [{ json: { datasetId, tagId, bound } }];
		},
	};
}
