import { locatorField } from '../../shared/dify/fields';
import { stringField } from '../../shared/field-kinds';

export const tagField = locatorField('Tag', 'tagId', 'searchTags', { required: true });

export const nameField = stringField('Name', 'name', { required: true, description: 'At most 50 characters' });
