import { apiPath } from '../../lib/dify/ids';
import {
	createMetadataField,
	parseMetadataFields,
	setMetadata,
	type MetadataType,
} from '../../lib/dify/knowledge/metadata';
import { asRecords, type JsonRecord } from '../../lib/values';
import { defineRequestOperation, type DifyResource } from '../shared/dify/dify-operation';
import {
	booleanField,
	toOptions,
	optionsCollection,
	fixedCollectionField,
	stringField,
} from '../shared/field-builders';
import { asText, type NodeParameters } from '../shared/parameters';
import { documentField, readDocumentId, datasetField, readDatasetId } from './fields';

const TYPE_OPTIONS = toOptions({
	number: 'Number',
	string: 'Text',
	time: 'Time',
});

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
						'Whether to create missing fields in the knowledge base: as number for number values, otherwise as text',
					),
				]),
			],
			run: async ({ client, parameters }) => {
				const documentId = readDocumentId(parameters);
				const values = readValues(parameters);
				const createFields = parameters.boolean('options.createFields', false);
				const datasetId = readDatasetId(parameters);
				const metadata = await setMetadata(client, datasetId, documentId, values, createFields);
				return [{ json: { documentId, metadata } }];
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
				{
					displayName: 'Type',
					name: 'type',
					type: 'options',
					options: TYPE_OPTIONS,
					default: 'string',
				},
			],
			run: async ({ client, parameters }) => {
				const type = parameters.choice<MetadataType>('type');
				const name = parameters.requiredString('name');
				return [{ json: await createMetadataField(client, readDatasetId(parameters), name, type) }];
			},
		},
	],
};

function readValues(parameters: NodeParameters): JsonRecord {
	const nameField = parameters.field('values.value.field');
	const rows = asRecords(parameters.value('values.value'));
	return Object.fromEntries(
		rows.map(({ field, value }) => [asText(nameField, field ?? '').trim(), value]),
	);
}
