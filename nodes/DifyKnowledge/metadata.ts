import type { INodeProperties } from 'n8n-workflow';

import type { MetadataType } from '../../lib/dify/knowledge/filters';
import {
	createField,
	deleteField,
	metadataFields,
	renameField,
	setBuiltIn,
	setMetadata,
} from '../../lib/dify/knowledge/metadata';
import { recordsIn, type JsonRecord } from '../../lib/values';
import { datasetField, datasetIdIn, locatorField } from '../shared/dify/knowledge-fields';
import { asChoice, asText } from '../shared/field-values';
import type { NodeParameters } from '../shared/parameters';
import type { KnowledgeOperation } from './call';
import { documentField, documentIdIn, idIn, optionsField } from './fields';

const fieldField = locatorField('Metadata Field', 'fieldId', 'searchMetadataFields', { required: true });

function nameField(displayName: string): INodeProperties {
	return { displayName, name: 'name', type: 'string', default: '', required: true };
}

const TYPES = [
	{ name: 'Number', value: 'number' },
	{ name: 'Text', value: 'string' },
	{ name: 'Time', value: 'time' },
];

export const fieldCreate: KnowledgeOperation = {
	option: { name: 'Create Field', value: 'createField', action: 'Create a metadata field' },
	fields: [
		datasetField,
		nameField('Name'),
		{ displayName: 'Type', name: 'type', type: 'options', options: TYPES, default: 'string' },
	],
	run: async ({ api, parameters, signal }) => {
		const type = parameters.choice<MetadataType>('type');
		return [await createField(api, datasetIdIn(parameters), parameters.name('name'), type, signal)];
	},
};

export const fieldDelete: KnowledgeOperation = {
	option: {
		name: 'Delete Field',
		value: 'deleteField',
		action: 'Delete a metadata field',
		description: 'With its values in all documents',
	},
	fields: [datasetField, fieldField],
	run: async ({ api, parameters, signal }) => {
		const fieldId = idIn(parameters, 'fieldId');
		return [{ fieldId, deleted: true, existed: await deleteField(api, datasetIdIn(parameters), fieldId, signal) }];
	},
};

export const fieldGetAll: KnowledgeOperation = {
	option: { name: 'Get Fields', value: 'getFields', action: 'Get metadata fields' },
	fields: [datasetField],
	run: async ({ api, parameters, signal }) => {
		const { fields, builtInEnabled } = await metadataFields(api, datasetIdIn(parameters), signal);
		return fields.map((field) => ({ ...field, builtInEnabled }));
	},
};

export const fieldRename: KnowledgeOperation = {
	option: { name: 'Rename Field', value: 'renameField', action: 'Rename a metadata field' },
	fields: [datasetField, fieldField, nameField('New Name')],
	run: async ({ api, parameters, signal }) => [
		await renameField(api, datasetIdIn(parameters), idIn(parameters, 'fieldId'), parameters.name('name'), signal),
	],
};

export const builtInSet: KnowledgeOperation = {
	option: {
		name: 'Set Built-In Fields',
		value: 'setBuiltIn',
		action: 'Switch built in metadata on or off',
		description: 'Name, uploader, dates and source of documents, for filters',
	},
	fields: [
		datasetField,
		{
			displayName: 'Built-In Fields',
			name: 'enabled',
			type: 'boolean',
			default: true,
			description: 'Whether searches can use document_name, uploader, upload_date, last_update_date and source',
		},
	],
	run: async ({ api, parameters, signal }) => {
		const datasetId = datasetIdIn(parameters);
		const builtInEnabled = parameters.flag('enabled');
		await setBuiltIn(api, datasetId, builtInEnabled, signal);
		return [{ datasetId, builtInEnabled }];
	},
};

export const metadataSet: KnowledgeOperation = {
	option: {
		name: 'Set on Documents',
		value: 'set',
		action: 'Set metadata on documents',
		description: 'Values of other fields stay',
	},
	fields: [
		datasetField,
		documentField,
		{
			displayName: 'Values',
			name: 'values',
			type: 'fixedCollection',
			typeOptions: { multipleValues: true },
			placeholder: 'Add Value',
			default: {},
			options: [
				{
					displayName: 'Value',
					name: 'value',
					values: [
						{ displayName: 'Field', name: 'field', type: 'string', default: '', description: 'Name of the field' },
						{
							displayName: 'Value',
							name: 'value',
							type: 'string',
							default: '',
							description: 'Times as a date or Unix seconds. Leave empty to take the value away.',
						},
						{
							displayName: 'Type',
							name: 'type',
							type: 'options',
							options: [{ name: 'Automatic', value: 'auto' }, ...TYPES],
							default: 'auto',
							description: 'Of a field that is created. Automatic: a number makes a number, all else text.',
						},
					],
				},
			],
		},
		optionsField([
			{
				displayName: 'Create Missing Fields',
				name: 'createFields',
				type: 'boolean',
				default: true,
				description: 'Whether to create fields that the knowledge base does not have yet',
			},
		]),
	],
	run: async ({ api, parameters, signal }) => {
		const documentId = documentIdIn(parameters);
		const { values, types } = valuesIn(parameters);
		const createFields = parameters.flag('options.createFields', false);
		const options = { createFields, types, signal };
		return [{ documentId, metadata: await setMetadata(api, datasetIdIn(parameters), documentId, values, options) }];
	},
};

function valuesIn(parameters: NodeParameters): { values: JsonRecord; types: Record<string, MetadataType> } {
	const values: JsonRecord = {};
	const types: Record<string, MetadataType> = {};
	for (const entry of recordsIn(parameters.value('values.value'))) {
		const name = asText(parameters.field('values.value.field'), entry.field ?? '').trim();
		const type = asChoice<'auto' | MetadataType>(parameters.field('values.value.type'), entry.type ?? 'auto');
		values[name] = entry.value;
		if (type !== 'auto') types[name] = type;
	}
	return { values, types };
}
