import { apiPath } from '../../lib/dify/client';
import {
	createMetadataField,
	parseMetadataFields,
	setMetadata,
	type MetadataType,
	type MetadataValue,
} from '../../lib/dify/knowledge/metadata';
import { asRecords } from '../../lib/values';
import { defineRequestOperation, type DifyResource } from '../shared/dify/dify-operation';
import {
	booleanField,
	choiceField,
	toOptions,
	optionsCollection,
	fixedCollectionField,
	stringField,
} from '../shared/field-builders';
import { asChoice, asText, type NodeParameters } from '../shared/parameters';
import { documentField, readDocumentId, datasetField, readDatasetId } from './fields';

const TYPES = { number: 'Number', string: 'Text', time: 'Time' };

export const metadata: DifyResource = {
	name: 'Metadata',
	value: 'metadata',
	operations: [
		{
			name: 'Set on Documents',
			value: 'set',
			action: 'Set metadata on documents',
			description: 'Other fields keep their values',
			fields: [
				datasetField,
				documentField,
				fixedCollectionField('Values', 'values', 'Value', {
					values: [
						stringField('Field', 'field', 'Name of the field'),
						choiceField('Type', 'type', 'auto', {
							options: toOptions({
								auto: ['Automatic', 'As the value: Number, Time or Text'],
								...TYPES,
							}),
							description:
								'Type of the field if it is created; permanent in Dify. Values of an existing field are converted to its type.',
						}),
						stringField(
							'Value',
							'value',
							'Enter times as a date or Unix timestamp in seconds. Leave empty to remove the value.',
						),
					],
				}),
				optionsCollection([
					booleanField(
						'Create Missing Fields',
						'createFields',
						true,
						'Whether to create missing fields in the knowledge base',
					),
				]),
			],
			run: async ({ client, parameters }) => {
				const documentId = readDocumentId(parameters);
				const values = readValues(parameters);
				const createFields = parameters.boolean('options.createFields', false);
				const datasetId = readDatasetId(parameters);
				const metadata = await setMetadata(client, datasetId, documentId, values, createFields);
				return { json: { documentId, metadata } };
			},
		},
		defineRequestOperation({
			name: 'Get Fields',
			value: 'getFields',
			action: 'Get metadata fields',
			fields: [datasetField],
			request: (parameters) => ['GET', apiPath`/datasets/${readDatasetId(parameters)}/metadata`],
			toItems: (response) => {
				const builtInEnabled = response.built_in_field_enabled === true;
				return parseMetadataFields(response).map((field) => ({ ...field, builtInEnabled }));
			},
		}),
		{
			name: 'Create Field',
			value: 'createField',
			action: 'Create a metadata field',
			fields: [
				datasetField,
				stringField('Name', 'name', { required: true }),
				choiceField('Type', 'type', 'string', { options: toOptions(TYPES) }),
			],
			run: async ({ client, parameters }) => {
				const type = parameters.choice<MetadataType>('type');
				const name = parameters.requiredString('name');
				return { json: await createMetadataField(client, readDatasetId(parameters), name, type) };
			},
		},
	],
};

function readValues(parameters: NodeParameters): Record<string, MetadataValue> {
	const [nameField, typeField] = ['field', 'type'].map((name) =>
		parameters.field(`values.value.${name}`),
	);
	const rows = asRecords(parameters.value('values.value'));
	return Object.fromEntries(
		rows.map(({ field, value, type = 'auto' }) => {
			const choice = asChoice<MetadataType | 'auto'>(typeField!, type);
			const name = asText(nameField!, field ?? '').trim();
			return [name, { value, type: choice === 'auto' ? undefined : choice }];
		}),
	);
}
