import type {
	FieldType,
	ILoadOptionsFunctions,
	ResourceMapperField,
	ResourceMapperFields,
} from 'n8n-workflow';
import { parseForm, type FormField, type FormFieldType } from '../../../lib/dify/forms';
import { isExpression, toListEntries, toPlainName } from '../list-entries';
import { createEditorClient } from './list-search';
import { toDifyNodeError } from './dify-operation';

/** n8n does not reload when a credential is selected, only when this field is shown again (its ResourceMapper.vue). */
const NO_CREDENTIAL =
	'Select a credential, then set Inputs to As JSON and back to load the fields of the app.';
const NO_FORM = 'This app has no form to fill in.';

/** The app's form, as fields of the node. */
export async function getForm(this: ILoadOptionsFunctions): Promise<ResourceMapperFields> {
	const currentFields = toMapperFields(this.getCurrentNodeParameter('inputs.schema'));
	// A node that was just added has no credential yet.
	if (this.getNode().credentials?.difyApi === undefined)
		return { fields: currentFields, emptyFieldsNotice: NO_CREDENTIAL };
	try {
		const client = await createEditorClient(this);
		return {
			fields: parseForm(await client.get('/parameters'))
				.filter(({ variable }) => !isExpression(variable))
				.map(toMapperField),
			emptyFieldsNotice: NO_FORM,
		};
	} catch (error) {
		const { message, description } = toDifyNodeError(this.getNode(), error, {});
		const notice = `The form of the app could not be loaded. ${description || message}`;
		return { fields: currentFields, emptyFieldsNotice: escapeHtml(notice) };
	}
}

/**
 * The current fields, kept after an error: the editor would hide the fields instead of showing an error, and drops
 * values of fields that are no longer listed (ResourceMapper.vue).
 */
function toMapperFields(schema: unknown): ResourceMapperField[] {
	return Array.isArray(schema) ? (schema as ResourceMapperField[]) : [];
}

/** Escapes text, since the editor shows the notice as HTML. */
function escapeHtml(text: string): string {
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

/** Hints for field types without an n8n input. */
const INPUT_HINTS: Partial<Record<FormFieldType, string>> = {
	file: 'binary field or URL',
	'file-list': 'binary fields or URLs, separated by commas',
};

function isDefaultValue(value: unknown): value is string | number | boolean {
	return ['string', 'number', 'boolean'].includes(typeof value) && !isExpression(value);
}

function toMapperField({
	type,
	variable,
	label,
	required,
	options,
	default: defaultValue,
}: FormField): ResourceMapperField {
	const hint = INPUT_HINTS[type];
	const plainLabel = toPlainName(label);
	return {
		id: variable,
		displayName: hint === undefined ? plainLabel : `${plainLabel} (${hint})`,
		required,
		defaultMatch: false,
		canBeUsedToMatch: false,
		display: true,
		type: TYPES[type],
		...(type === 'select'
			? { options: toListEntries(options.map((option) => ({ name: option, value: option }))) }
			: {}),
		...(isDefaultValue(defaultValue) ? { defaultValue } : {}),
	};
}
