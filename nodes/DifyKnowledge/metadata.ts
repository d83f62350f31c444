/** Metadata of a knowledge base and its documents. */
import { asRecords } from '../../lib/values/records';
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineRequestOperation } from '../shared/dify/define-operation';
import { readId } from '../shared/dify/dify-fields';
import {
	choiceField,
	optionsCollection,
	stringField,
	booleanField,
	fixedCollectionField,
} from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { asChoice, asText } from '../shared/parameters';
import { documentField, datasetField } from './fields';
import type { MetadataType, MetadataValue } from '../../lib/dify/knowledge/metadata';
import {
	createMetadataField,
	parseMetadataFields,
	setMetadata,
} from '../../lib/dify/knowledge/metadata';

const LABEL_BY_TYPE = { number: 'Number', string: 'Text', time: 'Time' };

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
				fixedCollectionField('Values', 'values', 'Value', [
					stringField('Field', 'field', 'Name of the field'),
					choiceField(
						'Type',
						'type',
						'auto',
						{
							auto: ['Automatic', 'As the value: Number, Time or Text'],
							...LABEL_BY_TYPE,
						},
						'Type of the field if it is created; permanent in Dify. Values of an existing field are converted to its type.',
					),
					stringField(
						'Value',
						'value',
						'Enter times as a date or Unix timestamp in seconds. Leave empty to remove the value.',
					),
				]),
				optionsCollection([
					booleanField(
						'Create Missing Fields',
						'createFields',
						true,
						'Whether to create missing fields in the knowledge base',
					),
				]),
			],
			execute: async ({ client, parameters }) => {
				const documentId = readId(parameters, 'documentId');
				const metadata = await setMetadata(client, {
					datasetId: readId(parameters, 'difyDatasetId'),
					documentId,
					values: readValues(parameters),
					createFields: parameters.boolean('options.createFields', false),
				});
				return { json: { documentId, metadata } };
			},
		},
		defineRequestOperation({
			name: 'Get Fields',
			value: 'getFields',
			action: 'Get metadata fields',
			fields: [datasetField],
			request: 'GET /datasets/{difyDatasetId}/metadata',
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
				choiceField('Type', 'type', 'string', LABEL_BY_TYPE),
			],
			execute: async ({ client, parameters }) => ({
				json: await createMetadataField(client, readId(parameters, 'difyDatasetId'), {
					name: parameters.requiredString('name'),
					type: parameters.choice('type'),
				}),
			}),
		},
	],
};

function readValues(parameters: NodeParameters): Record<string, MetadataValue> {
	const [nameField, typeField] = ['field', 'type'].map((name) =>
		parameters.field(`values.value.${name}`),
	);
	return Object.fromEntries(
		asRecords(parameters.value('values.value')).map(({ field, value, type = 'auto' }) => {
			const choice = asChoice<MetadataType | 'auto'>(typeField!, type);
			return [
				asText(nameField!, field ?? '').trim(),
				{ value, type: choice === 'auto' ? undefined : choice },
			];
		}),
	);
}
