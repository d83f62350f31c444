import type {
	FieldType,
	ILoadOptionsFunctions,
	ResourceMapperField,
	ResourceMapperFields,
} from 'n8n-workflow';

import { parseForm, type FormField, type FormFieldType } from '../../../lib/dify/forms/input-form';
import { isExpression, toListEntries, toPlainName } from '../list-entries';
import { createEditorClient } from './list-search';
import { toDifyNodeError } from './errors';

/** n8n does not ask again when a credential is chosen, only when this field is shown anew (its ResourceMapper.vue). */
const NO_CREDENTIAL =
	'Select a credential, then set Inputs to As JSON and back to load the fields of the app.';
const NO_FORM = 'This app has no form to fill in.';

/** The app's own form, as fields of the node. */
export async function getForm(this: ILoadOptionsFunctions): Promise<ResourceMapperFields> {
	const known = knownFields(this.getCurrentNodeParameter('inputs.schema'));
	// A node that was just added has no credential yet.
	if (this.getNode().credentials?.difyApi === undefined)
		return { fields: known, emptyFieldsNotice: NO_CREDENTIAL };
	try {
		const client = await createEditorClient(this);
		return {
			fields: parseForm(await client.get('/parameters'))
				.filter(({ variable }) => !isExpression(variable))
				.map(mapperField),
			emptyFieldsNotice: NO_FORM,
		};
	} catch (error) {
		const { message, description } = toDifyNodeError(this.getNode(), error, {});
		const notice = `The form of the app could not be loaded. ${description || message}`;
		return { fields: known, emptyFieldsNotice: escaped(notice) };
	}
}

/**
 * The fields that were listed before, used after a failure: the editor would hide the fields instead of showing an
 * error, and drops values of fields that are no longer listed (ResourceMapper.vue).
 */
function knownFields(schema: unknown): ResourceMapperField[] {
	return Array.isArray(schema) ? (schema as ResourceMapperField[]) : [];
}

/** Escapes text, since the editor shows the notice as HTML. */
function escaped(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const TYPES: Record<FormFieldType, FieldType> = {
	'text-input': 'string',
	paragraph: 'string',
	select: 'options',
	number: 'number',
	checkbox: 'boolean',
	json_object: 'object',
	file: 'string',
	'file-list': 'string',
};

/** How to fill in fields of types for which n8n has no input. */
const NOTES: Partial<Record<FormFieldType, string>> = {
	file: 'binary field or URL',
	'file-list': 'binary fields or URLs, separated by commas',
};

function isPreset(value: unknown): value is string | number | boolean {
	return ['string', 'number', 'boolean'].includes(typeof value) && !isExpression(value);
}

function mapperField({
	type,
	variable,
	label,
	required,
	options,
	default: preset,
}: FormField): ResourceMapperField {
	const note = NOTES[type];
	const shown = toPlainName(label);
	return {
		id: variable,
		displayName: note === undefined ? shown : `${shown} (${note})`,
		required,
		defaultMatch: false,
		canBeUsedToMatch: false,
		display: true,
		type: TYPES[type],
		...(type === 'select'
			? { options: toListEntries(options.map((option) => ({ name: option, value: option }))) }
			: {}),
		...(isPreset(preset) ? { defaultValue: preset } : {}),
	};
}
