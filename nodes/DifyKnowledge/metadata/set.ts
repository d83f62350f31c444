import type { MetadataType } from '../../../lib/dify/knowledge/filters';
import { setMetadata } from '../../../lib/dify/knowledge/metadata';
import { type JsonRecord, recordsIn } from '../../../lib/values';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { asChoice, asText } from '../../shared/field-values';
import type { NodeParameters } from '../../shared/parameters';
import type { DifyOperation } from '../../shared/dify/run';
import {
	booleanField,
	choiceField,
	choices,
	optionsCollection,
	rowsField,
	stringField,
} from '../../shared/field-kinds';
import { documentField, documentIdIn } from '../fields';

export const TYPES = choices({
	number: 'Number',
	string: 'Text',
	time: 'Time',
});

export const metadataSet: DifyOperation = {
	option: {
		name: 'Set on Documents',
		value: 'set',
		action: 'Set metadata on documents',
		description: 'Values of other fields stay',
	},
	fields: [
		datasetField,
		documentField,
		rowsField('Values', 'values', 'Value', {
			values: [
				{
					displayName: 'Field',
					name: 'field',
					type: 'string',
					default: '',
					description: 'Name of the field',
				},
				stringField('Value', 'value', {
					description: 'Times as a date or Unix seconds. Leave empty to take the value away.',
				}),
				choiceField('Type', 'type', 'auto', {
					options: [{ name: 'Automatic', value: 'auto' }, ...TYPES],
					description:
						'Of a field that is created. Automatic: a number makes a number, all else text.',
				}),
			],
		}),
		optionsCollection([
			booleanField('Create Missing Fields', 'createFields', true, {
				description: 'Whether to create fields that the knowledge base does not have yet',
			}),
		]),
	],
	run: async ({ api, parameters }) => {
		const documentId = documentIdIn(parameters);
		const { values, types } = valuesIn(parameters);
		const createFields = parameters.flag('options.createFields', false);
		const options = { createFields, types };
		return [
			{
				json: {
					documentId,
					metadata: await setMetadata(api, datasetIdIn(parameters), documentId, values, options),
				},
			},
		];
	},
};

function valuesIn(parameters: NodeParameters): {
	values: JsonRecord;
	types: Record<string, MetadataType>;
} {
	const values: JsonRecord = {};
	const types: Record<string, MetadataType> = {};
	for (const entry of recordsIn(parameters.value('values.value'))) {
		const name = asText(parameters.field('values.value.field'), entry.field ?? '').trim();
		const type = asChoice<'auto' | MetadataType>(
			parameters.field('values.value.type'),
			entry.type ?? 'auto',
		);
		values[name] = entry.value;
		if (type !== 'auto') types[name] = type;
	}
	return { values, types };
}
