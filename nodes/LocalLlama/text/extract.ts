import type { INodeProperties } from 'n8n-workflow';
import type { ResponseFormat } from '../../../lib/chat/settings';
import { getJsonOrThrow } from '../../../lib/chat/check/validate-json';
import { assertSchema } from '../../../lib/chat/check/validate-against-schema';
import type { ExtractField, FieldType } from './extract-prompt';
import { buildExtractMessages, buildObjectSchema, buildValidationSchema } from './extract-prompt';
import { isRecord, omitUndefined, asRecord } from '../../../lib/values/records';
import { parseBoolean } from '../../../lib/values/text';
import { getUnsafeNumberWarnings } from '../../../lib/values/exact-json';
import { findDuplicate } from '../../../lib/values/lists';
import { readThinking } from '../../shared/chat/thinking';
import { readSchema } from '../../shared/chat/json-schema';
import type { NodeParameters } from '../../shared/parameters';
import { createEmptyFieldError, createFieldError } from '../../shared/parameters';
import { modelField } from '../../shared/model-selection';
import { splitNames } from '../../shared/binary';
import {
	booleanField,
	choiceField,
	jsonField,
	fixedCollectionField,
	shownIf,
	stringField,
} from '../../shared/field-builders';
import { toolNotice } from '../agent-field';
import { createOptionsField } from '../operation-fields';
import { findReplacingOption, readRows } from '../list-fields';
import { withOutput } from '../output';
import type { LocalLlamaOperation } from '../run-local-llama';
import { generateText, resolveTextSettings } from './generate-text';
import { toMetadata } from './result-metadata';
import { binaryFieldsField, readPromptInput } from './item-files';
import {
	shortTextOptions,
	quickThinkingOptions,
	instructionsField,
	textFields,
} from './text-fields';
import { getOwn } from '../../../lib/values/own-properties';

const LABEL_BY_TYPE = {
	boolean: 'Boolean',
	choice: ['Choice', 'One of a fixed set of values'],
	date: ['Date', 'As 2026-12-31'],
	list: 'List of Texts',
	number: 'Number',
	text: 'Text',
	integer: 'Whole Number',
} as const satisfies Record<FieldType, unknown>;

/** Columns of a row of the form, the name first. */
const formRowFields: INodeProperties[] = [
	stringField('Name', 'name', { placeholder: 'e.g. invoiceNumber' }),
	choiceField('Type', 'type', 'text', LABEL_BY_TYPE),
	stringField('Choices', 'choices', {
		placeholder: 'e.g. low, medium, high',
		...shownIf('type', 'choice'),
		description: 'The allowed values, separated by commas',
	}),
	stringField('Description', 'description', {
		placeholder: 'e.g. The number in the heading, including letters',
		description: 'What the model should look for',
	}),
	booleanField(
		'Required',
		'required',
		false,
		'Whether the field always has a value. Other fields are null if the text has no value for them.',
	),
];

/** Options that replace the form. */
const replacementOptions = [
	jsonField(
		'Field List',
		'fieldList',
		'={{ $json.fields }}',
		'Replaces Fields with a list from an expression: an array of names, or of objects with name and optional type (text, number, integer, boolean, date, list, choice), choices, description and required, or comma-separated names',
	),
	jsonField(
		'JSON Schema',
		'jsonSchema',
		'{\n  "type": "object",\n  "properties": {\n    "name": { "type": "string" }\n  },\n  "required": ["name"]\n}',
		{ typeOptions: { rows: 8 }, description: 'Replaces Fields, for nested data' },
	),
];

export const textExtract: LocalLlamaOperation = withOutput({
	name: 'Extract',
	value: 'extract',
	action: 'Extract data from a text',
	description: 'Extract typed data from a text. Invalid data is never returned.',
	mainFields: ['text'],
	fields: [
		modelField('The model that reads the text'),
		...textFields,
		toolNotice('The agent passes the text only. Add the fields that it should get.'),
		fixedCollectionField('Fields', 'fields', 'Field', formRowFields, {
			typeOptions: { multipleValues: true, sortable: true },
			description: 'The values to extract',
		}),
		createOptionsField([
			...shortTextOptions,
			...replacementOptions,
			...quickThinkingOptions,
			binaryFieldsField('They are part of the text.'),
			instructionsField,
		]),
	],
	execute: async (call) => {
		const { parameters } = call;
		const replacingOption = findReplacingOption(parameters, ['fieldList', 'jsonSchema']);
		const extractFields =
			replacingOption === 'jsonSchema' ? undefined : readExtractFields(parameters);
		const schema = extractFields
			? buildObjectSchema(extractFields)
			: readSchema(parameters, 'options.jsonSchema').schema;
		const validationSchema = extractFields ? buildValidationSchema(extractFields) : schema;
		assertSchema(schema);
		const { input, files } = await readPromptInput(call);
		const messages = buildExtractMessages(
			schema,
			parameters.rawString('options.instructions'),
			input,
		);
		const thinking = readThinking(parameters, 'options.', 'off');
		const responseFormat: ResponseFormat = {
			type: 'jsonSchema',
			schema,
			validationSchema,
			isInPrompt: true,
		};
		// Most likely response by default.
		const defaults = { temperature: 0, ...omitUndefined({ thinking }), responseFormat };
		const settings = await resolveTextSettings(call, defaults);
		const chatSettings = { ...settings, thinkingHistory: 'never' } as const;
		const result = await generateText(call, chatSettings, { messages, files });
		const { value: extracted, unsafeNumbers } = getJsonOrThrow(result)!;
		const hasNumbers = extractFields?.some(({ type }) => type === 'number');
		const numbersKeptAsText = unsafeNumbers.filter(
			(text) => !hasNumbers || toNumberIfSafe(text) === text,
		);
		getUnsafeNumberWarnings(numbersKeptAsText).forEach(call.hint);
		const record = asRecord(extracted);
		const toEntry = ({ name, type }: ExtractField) => {
			const value = getOwn(record, name) ?? null;
			return [name, type === 'number' ? toNumberIfSafe(value) : value];
		};
		const output = extractFields ? Object.fromEntries(extractFields.map(toEntry)) : extracted;
		const isCorrected = result.corrections !== undefined;
		const metadata = { ...toMetadata(result), ...(isCorrected ? { repaired: true } : {}) };
		return [{ output, metadata }];
	},
});

/**
 * A number that was kept as text because of its digits becomes the nearest number, if that is not larger than the largest safe
 * integer: what is lost is then far below its last place. Other values stay as they are.
 */
function toNumberIfSafe(value: unknown) {
	const number = typeof value === 'string' ? Number(value) : NaN;
	return Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : value;
}

/** Reads the fields to extract from the form or a list. */
function readExtractFields(parameters: NodeParameters): ExtractField[] {
	const { rows, label } = readRows(parameters, { form: 'fields', listOption: 'fieldList' });
	if (rows.length === 0)
		throw createEmptyFieldError(
			label,
			'Add a field for each value to extract, such as "total" with the type Number.',
		);
	const fields = rows.map((row) => toField(isRecord(row) ? row : { name: row }, label));
	const duplicate = findDuplicate(fields.map(({ name }) => name));
	if (duplicate !== undefined) throw createFieldError(label, `has two fields named "${duplicate}"`);
	return fields;
}

function toField(row: Record<string, unknown>, label: string): ExtractField {
	const name = String(row.name ?? '').trim();
	if (!name) throw createFieldError(label, 'has a field without a name');
	const type = (row.type ?? 'text') as FieldType;
	if (!Object.hasOwn(LABEL_BY_TYPE, type))
		throw createFieldError(label, `has the unknown type "${String(type)}"`);
	const choices = readChoices(row);
	if (type === 'choice' && choices.length === 0)
		throw createFieldError(label, `has no choices for "${name}"`);
	const required = parseBoolean(row.required) === true;
	return { name, type, description: String(row.description ?? ''), choices, required };
}

function readChoices({ choices = '' }: Record<string, unknown>) {
	return Array.isArray(choices) ? choices.map(String) : splitNames(String(choices ?? ''));
}
