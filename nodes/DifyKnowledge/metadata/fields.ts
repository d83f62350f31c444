import type { INodeProperties } from 'n8n-workflow';

import { locatorField } from '../../shared/dify/fields';

export const fieldField = locatorField('Metadata Field', 'fieldId', 'searchMetadataFields', {
	required: true,
});

export function nameField(displayName: string): INodeProperties {
	return { displayName, name: 'name', type: 'string', default: '', required: true };
}

export const TYPES = [
	{ name: 'Number', value: 'number' },
	{ name: 'Text', value: 'string' },
	{ name: 'Time', value: 'time' },
];
