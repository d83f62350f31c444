/** Metadata of a knowledge base and its documents. */
import { apiPath } from '../../lib/dify/api-path';
import type { MetadataValue } from '../../lib/dify/knowledge/metadata';
import {
	createMetadataField,
	parseMetadataFields,
	setMetadata,
} from '../../lib/dify/knowledge/metadata';
import { keepAny } from '../../lib/fields/check-value';
import type { Choices, FieldTable, Values } from '../../lib/fields/field';
import type { DifyCall, DifyResource } from '../shared/dify/dify-operation';
import { defineRequestOperation } from '../shared/dify/request-operation';
import { optionsField } from '../shared/fields/options-field';
import { defineOperation } from '../shared/items/define-operation';
import type { FieldValues } from '../shared/items/define-operation';
import { datasetField, documentFields } from './fields';

const LABEL_BY_TYPE = {
	number: 'Number',
	string: 'Text',
	time: 'Time',
} as const satisfies Choices;

const setFields = {
	...documentFields,
	values: {
		kind: 'rows',
		label: 'Values',
		entry: 'Value',
		fields: {
			field: { kind: 'name', label: 'Field', description: 'Name of the field' },
			type: {
				kind: 'choice',
				label: 'Type',
				default: 'auto',
				choices: {
					auto: ['Automatic', 'As the value: Number, Time or Text'],
					...LABEL_BY_TYPE,
				},
				description:
					'Type of the field if it is created; permanent in Dify. Values of an existing field are converted to its type.',
				isOptional: true,
			},
			value: {
				kind: 'text',
				label: 'Value',
				description:
					'Enter times as a date or Unix timestamp in seconds. Leave empty to remove the value.',
				parse: keepAny,
			},
		},
	},
	options: optionsField({
		createFields: {
			kind: 'switch',
			label: 'Create Missing Fields',
			default: true,
			description: 'Whether to create missing fields in the knowledge base',
		},
	}),
} as const satisfies FieldTable;

const createFields = {
	difyDatasetId: datasetField,
	name: { kind: 'name', label: 'Name', required: true },
	type: { kind: 'choice', label: 'Type', default: 'string', choices: LABEL_BY_TYPE },
} as const satisfies FieldTable;

export const metadata: DifyResource = {
	name: 'Metadata',
	value: 'metadata',
	operations: [
		defineOperation({
			name: 'Set on Documents',
			value: 'set',
			action: 'Set metadata on documents',
			description: 'Other fields keep their values',
			fields: setFields,
			execute: async ({ client, values }: DifyCall & FieldValues<typeof setFields>) => {
				const { documentId, difyDatasetId: datasetId, options } = values;
				const metadata = await setMetadata(client, {
					datasetId,
					documentId,
					values: toMetadataValues(values),
					createFields: options.createFields ?? false,
				});
				return { json: { documentId, metadata } };
			},
		}),
		defineRequestOperation({
			name: 'Get Fields',
			value: 'getFields',
			action: 'Get metadata fields',
			fields: { difyDatasetId: datasetField },
			method: 'GET',
			getPath: ({ values }) => apiPath`/datasets/${values.difyDatasetId}/metadata`,
			toItems: (response) => {
				const builtInEnabled = response.built_in_field_enabled === true;
				return parseMetadataFields(response).map((field) => ({ ...field, builtInEnabled }));
			},
		}),
		defineOperation({
			name: 'Create Field',
			value: 'createField',
			action: 'Create a metadata field',
			fields: createFields,
			execute: async ({ client, values }: DifyCall & FieldValues<typeof createFields>) => {
				const { difyDatasetId, name, type } = values;
				return { json: await createMetadataField(client, difyDatasetId, { name, type }) };
			},
		}),
	],
};

function toMetadataValues({
	values,
}: Pick<Values<typeof setFields>, 'values'>): Record<string, MetadataValue> {
	return Object.fromEntries(
		values.map(({ field, type, value }) => [
			field,
			{ value, type: type === 'auto' ? undefined : type },
		]),
	);
}
