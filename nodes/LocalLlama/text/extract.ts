import type { INodeProperties } from 'n8n-workflow';

import { extract as extractData } from '../../../lib/text/extract';
import type { ExtractField, FieldType } from '../../../lib/text/extract-fields';
import { schemaOfRequiredFields, schemaOfFields } from '../../../lib/text/extract-fields';
import { firstRepeated, isRecord, recordOf, booleanOf } from '../../../lib/values';
import { bareSchema } from '../../shared/chat/generation-settings';
import { wrongField } from '../../shared/field-values';
import { modelField } from '../../shared/model-field';
import { namesIn } from '../../shared/binary';
import {
	booleanField,
	choiceField,
	choices,
	jsonField,
	rowsField,
	stringField,
} from '../../shared/field-kinds';
import type { NodeParameters } from '../../shared/parameters';
import type { LocalLlamaOperation } from '../operation';
import { rowFields, rowsIn } from '../lists';
import { optionFields } from '../options';
import { answerFacts, reportAnswer } from './answer';
import { briefOptions, quickThinkingFields } from './brief-options';
import { briefSettings } from './settings';
import { binaryFieldsField, inputIn } from './files';
import { instructionsField, textField } from './text-field';
import { withModel } from '../../shared/search-models';

const TYPES = choices<FieldType>({
	boolean: 'Boolean',
	choice: ['Choice', 'One of a few texts'],
	date: ['Date', 'As 2026-12-31'],
	list: 'List of Texts',
	number: 'Number',
	text: 'Text',
	wholeNumber: 'Whole Number',
});

/** Columns of a row of the form, the name first. */
const tableFields: INodeProperties[] = [
	{
		displayName: 'Name',
		name: 'name',
		type: 'string',
		default: '',
		placeholder: 'e.g. invoiceNumber',
	},
	{ displayName: 'Type', name: 'type', type: 'options', default: 'text', options: TYPES },
	stringField('Choices', 'choices', {
		placeholder: 'e.g. low, medium, high',
		displayOptions: { show: { type: ['choice'] } },
		description: 'The allowed texts, separated by commas',
	}),
	stringField('Description', 'description', {
		placeholder: 'e.g. The number in the heading, with its letters',
		description: 'What the model should look for',
	}),
	booleanField('Required', 'required', false, {
		description:
			'Whether there is always a value. Others are null where the text does not tell one.',
	}),
];

const schemaFields: INodeProperties[] = [
	choiceField('What to Extract', 'schemaSource', 'fields', {
		options: choices({
			fields: ['Fields', 'A table that you fill in here'],
			schema: ['JSON Schema', 'For nested data'],
		}),
	}),
	...rowFields(
		rowsField('Fields', 'fields', 'Field', {
			values: tableFields,
			typeOptions: { multipleValues: true, sortable: true },
			displayOptions: { show: { schemaSource: ['fields'] } },
		}),
		{
			displayName: 'Field List',
			name: 'fieldList',
			default: '={{ $json.fields }}',
			description:
				'A list of names, or of objects with name, and if you like type (text, number, wholeNumber, boolean, date, list, choice), choices, description and required, or one text with names between commas',
		},
	),
	jsonField(
		'JSON Schema',
		'jsonSchema',
		'{\n  "type": "object",\n  "properties": {\n    "name": { "type": "string" }\n  },\n  "required": ["name"]\n}',
		{
			typeOptions: { rows: 8 },
			displayOptions: { show: { schemaSource: ['schema'] } },
		},
	),
];

export const textExtract: LocalLlamaOperation = {
	option: {
		name: 'Extract',
		value: 'extract',
		action: 'Extract data from a text',
		description: 'Gets typed data out of a text. What does not fit is never passed on.',
	},
	fields: [
		modelField({ description: 'The model that reads the text' }, { mayBeEmpty: true }),
		textField,
		binaryFieldsField('They belong to the text.'),
		...schemaFields,
		instructionsField,
		...quickThinkingFields,
		...optionFields(briefOptions),
	],
	run: async (call) => {
		const { parameters } = call;
		const fields =
			parameters.choice<'fields' | 'schema'>('schemaSource') === 'fields'
				? tableIn(parameters)
				: undefined;
		const task = {
			...(await inputIn(call)),
			...(fields === undefined
				? { schema: schemaIn(parameters) }
				: { schema: schemaOfFields(fields), least: schemaOfRequiredFields(fields) }),
			instructions: parameters.freeText('instructions'),
		};
		const settings = await withModel(
			parameters.once(briefSettings),
			call.connection,
			'chat',
			call.signal,
		);
		const { output, answer, usage, repaired, notes } = await extractData(
			call.connection,
			settings,
			task,
			call.signal,
		);
		reportAnswer(call, { ...answer, notes, usage });
		const values = recordOf(output);
		const whole =
			fields &&
			Object.fromEntries(
				fields.map(({ name }) => [name, Object.hasOwn(values, name) ? values[name] : null]),
			);
		return [
			{
				json: {
					output: whole ?? output,
					...answerFacts({ ...answer, usage }),
					...(repaired ? { repaired } : {}),
				},
			},
		];
	},
};

function schemaIn(parameters: NodeParameters): Record<string, unknown> {
	const { schema } = bareSchema(parameters.object('jsonSchema'));
	if (Object.keys(schema).length === 0)
		throw wrongField(parameters.field('jsonSchema').label, 'is empty');
	return schema;
}

/** Fields to extract, from the form or a list. */
function tableIn(parameters: NodeParameters): ExtractField[] {
	const { rows, label } = rowsIn(parameters, 'fields', 'fieldList');
	if (rows.length === 0)
		throw wrongField(label, 'has no field', 'Add a field for each value that you want.');
	const fields = rows.map((row) => fieldOf(isRecord(row) ? row : { name: row }, label));
	const twice = firstRepeated(fields.map(({ name }) => name));
	if (twice !== undefined) throw wrongField(label, `has two fields named "${twice}"`);
	return fields;
}

function fieldOf(row: Record<string, unknown>, label: string): ExtractField {
	const name = String(row.name ?? '').trim();
	if (name === '') throw wrongField(label, 'has a field without a name');
	const type = (row.type ?? 'text') as FieldType;
	if (!TYPES.some(({ value }) => value === type))
		throw wrongField(label, `has a type "${String(type)}" that does not exist`);
	const choices = choicesOf(row);
	if (type === 'choice' && choices.length === 0)
		throw wrongField(label, `has no choices for "${name}"`);
	const required = booleanOf(row.required) === true;
	return { name, type, description: String(row.description ?? ''), choices, required };
}

function choicesOf({ choices = '' }: Record<string, unknown>): string[] {
	return Array.isArray(choices) ? choices.map(String) : namesIn(String(choices ?? ''));
}
