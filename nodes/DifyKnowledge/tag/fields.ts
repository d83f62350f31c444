import { locatorField } from '../../shared/dify/knowledge-fields';

export const tagField = locatorField('Tag', 'tagId', 'searchTags', { required: true });

export const nameField = {
	displayName: 'Name',
	name: 'name',
	type: 'string' as const,
	default: '',
	required: true,
	description: 'At most 50 characters',
};
