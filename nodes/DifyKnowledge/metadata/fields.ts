import type { INodeProperties } from 'n8n-workflow';

import { locatorField } from '../../shared/dify/fields';
import { choices } from '../../shared/field-kinds';

export const fieldField = locatorField('Metadata Field', 'fieldId', 'searchMetadataFields', {
	required: true,
});

export function nameField(displayName: string): INodeProperties {
	return { displayName, name: 'name', type: 'string', default: '', required: true };
}

export const TYPES = choices({
	number: 'Number',
	string: 'Text',
	time: 'Time',
});
