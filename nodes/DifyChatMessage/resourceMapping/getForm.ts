import type { FieldType, ILoadOptionsFunctions, ResourceMapperField, ResourceMapperFields } from 'n8n-workflow';

import { readForm, type FormField, type FormKind } from '../../../lib/dify/form';
import { editorClient } from '../../dify/apps';
import { difyNodeError } from '../../dify/errors';

/** The app's own form, as fields of the node. */
export async function getForm(this: ILoadOptionsFunctions): Promise<ResourceMapperFields> {
	try {
		const client = await editorClient(this);
		return { fields: readForm(await client.get('/parameters')).map(mapperField) };
	} catch (error) {
		throw difyNodeError(this.getNode(), error);
	}
}

const TYPES: Record<FormKind, FieldType> = {
	'text-input': 'string',
	paragraph: 'string',
	select: 'options',
	number: 'number',
	checkbox: 'boolean',
	json_object: 'object',
	file: 'string',
	'file-list': 'string',
};

/** How to fill in a field whose type n8n has no input for. */
const NOTES: Partial<Record<FormKind, string>> = {
	file: 'binary property or URL',
	'file-list': 'binary properties or URLs, separated by commas',
};

function mapperField({ kind, variable, label, required, options, default: preset }: FormField): ResourceMapperField {
	const note = NOTES[kind];
	return {
		id: variable,
		displayName: note === undefined ? label : `${label} (${note})`,
		required,
		defaultMatch: false,
		canBeUsedToMatch: false,
		display: true,
		type: TYPES[kind],
		...(kind === 'select' ? { options: options.map((option) => ({ name: option, value: option })) } : {}),
		...(typeof preset === 'string' || typeof preset === 'number' || typeof preset === 'boolean' ? { defaultValue: preset } : {}),
	};
}
