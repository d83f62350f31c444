import { toThinking } from '../../../lib/chat/body/thinking-fields';
import { keepAny } from '../../../lib/fields/check-value';
import type { ChoiceLabel, FieldTable, Values } from '../../../lib/fields/field';
import type { Labelled } from '../../../lib/fields/field-errors';
import {
	createEmptyFieldError,
	createFieldError,
	createMissingOptionError,
} from '../../../lib/fields/field-errors';
import type { JsonRecord } from '../../../lib/values/records';
import type { ResponseFormat } from '../../../lib/chat/settings';
import { getJsonOrThrow } from '../../../lib/chat/check/validate-json';
import { assertSchema } from '../../../lib/chat/check/validate-against-schema';
import type { ExtractField, FieldType } from './extract-prompt';
import { buildExtractMessages, buildObjectSchema, buildValidationSchema } from './extract-prompt';
import { isRecord, omitUndefined, asRecord } from '../../../lib/values/records';
import { parseBoolean } from '../../../lib/values/text';
import { getUnsafeNumberWarnings } from '../../../lib/values/exact-json';
import { findDuplicate } from '../../../lib/values/lists';
import { jsonSchemaField } from '../../shared/chat/json-schema';
import { findOrigin, getOrigin, isAdded, joinOrigins } from '../../shared/fields/read-values';
import { modelField } from '../../shared/fields/model-selection';
import { splitNames } from '../../../lib/n8n/binary';
import { itemOptionsField, toolNotice } from '../operation-fields';
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
	textField,
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
} as const satisfies Record<FieldType, ChoiceLabel>;

const fields = {
	model: modelField('The model that reads the text'),
	text: textField,
	toolNotice: toolNotice('The agent passes the text only. Add the fields that it should get.'),
	fields: {
		kind: 'rows',
		label: 'Fields',
		entry: 'Field',
		isSortable: true,
		// Columns of a row, the name first.
		fields: {
			name: { kind: 'name', label: 'Name', placeholder: 'e.g. invoiceNumber' },
			type: { kind: 'choice', label: 'Type', default: 'text', choices: LABEL_BY_TYPE },
			choices: {
				kind: 'text',
				label: 'Choices',
				placeholder: 'e.g. low, medium, high',
				shownIf: { type: ['choice'] },
				description: 'The allowed values, separated by commas',
				parse: keepAny,
			},
			description: {
				kind: 'text',
				label: 'Description',
				placeholder: 'e.g. The number in the heading, including letters',
				description: 'What the model should look for',
			},
			required: {
				kind: 'switch',
				label: 'Required',
				default: false,
				description:
					'Whether the field always has a value. Other fields are null if the text has no value for them.',
			},
		},
		description: 'The values to extract',
	},
	options: itemOptionsField({
		...shortTextOptions,
		fieldList: {
			kind: 'json',
			label: 'Field List',
			default: '={{ $json.fields }}',
			parse: keepAny,
			description:
				'Replaces Fields with a list from an expression: an array of names, or of objects with name and optional type (text, number, integer, boolean, date, list, choice), choices, description and required, or comma-separated names',
		},
		jsonSchema: {
			...jsonSchemaField,
			default:
				'{\n  "type": "object",\n  "properties": {\n    "name": { "type": "string" }\n  },\n  "required": ["name"]\n}',
			description: 'Replaces Fields, for nested data',
		},
		...quickThinkingOptions,
		binaryFields: binaryFieldsField('They are part of the text.'),
		instructions: instructionsField,
	}),
} as const satisfies FieldTable;

type ExtractValues = Values<typeof fields>;

export const textExtract: LocalLlamaOperation = withOutput({
	name: 'Extract',
	value: 'extract',
	action: 'Extract data from a text',
	description: 'Extract typed data from a text. Invalid data is never returned.',
	mainFields: ['text'],
	fields,
	execute: async (call) => {
		const { values } = call;
		const { options } = values;
		const names = ['fieldList', 'jsonSchema'] as const;
		const replacingOption = findReplacingOption(fields.options.fields, options, names);
		const extractFields = replacingOption === 'jsonSchema' ? undefined : readExtractFields(values);
		const schema = extractFields ? buildObjectSchema(extractFields) : readSchema(values);
		const validationSchema = extractFields ? buildValidationSchema(extractFields) : schema;
		assertSchema(schema);
		const { input, files } = await readPromptInput(call);
		const prompt = {
			schema,
			schemaOrigin: joinOrigins(
				findOrigin(values, 'fields'),
				findOrigin(options, 'fieldList'),
				findOrigin(options, 'jsonSchema'),
			),
			instructions: {
				text: options.instructions ?? '',
				origin: getOrigin(options, 'instructions'),
			},
		};
		const messages = buildExtractMessages(prompt, input);
		const thinking = toThinking(options, 'off');
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

/** @throws a `ServerError` of type `invalidInput` if the schema is empty. */
function readSchema({ options: { jsonSchema } }: ExtractValues): JsonRecord {
	if (jsonSchema === undefined) throw createMissingOptionError(fields.options.fields.jsonSchema);
	return jsonSchema.schema;
}

/** Reads the fields to extract from the form or a list. */
function readExtractFields({ fields: form, options }: ExtractValues): ExtractField[] {
	const { rows, field } = readRows({
		form: fields.fields,
		getRows: () =>
			form.map(({ name, type, choices, description, required }) => ({
				name,
				type,
				choices,
				description,
				required,
			})),
		list: fields.options.fields.fieldList,
		isListed: isAdded(options, 'fieldList'),
		listed: options.fieldList,
	});
	if (rows.length === 0)
		throw createEmptyFieldError(
			field,
			'Add a field for each value to extract, such as "total" with the type Number.',
		);
	const extractFields = rows.map((row) => toField(isRecord(row) ? row : { name: row }, field));
	const duplicate = findDuplicate(extractFields.map(({ name }) => name));
	if (duplicate !== undefined) throw createFieldError(field, `has two fields named "${duplicate}"`);
	return extractFields;
}

function toField(row: Record<string, unknown>, field: Labelled): ExtractField {
	const name = String(row.name ?? '').trim();
	if (!name) throw createFieldError(field, 'has a field without a name');
	const type = (row.type ?? 'text') as FieldType;
	if (!Object.hasOwn(LABEL_BY_TYPE, type))
		throw createFieldError(field, `has the unknown type "${String(type)}"`);
	const choices = readChoices(row);
	if (type === 'choice' && choices.length === 0)
		throw createFieldError(field, `has no choices for "${name}"`);
	const required = parseBoolean(row.required) === true;
	return { name, type, description: String(row.description ?? ''), choices, required };
}

function readChoices({ choices = '' }: Record<string, unknown>) {
	return Array.isArray(choices) ? choices.map(String) : splitNames(String(choices ?? ''));
}
