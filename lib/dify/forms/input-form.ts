import { parseJson } from '../../json';
import {
	booleanOf,
	recordsIn,
	isRecord,
	asList,
	finiteNumber,
	nonEmptyText,
	words,
	type JsonRecord,
} from '../../values';
import { localError } from '../errors/failure';
import { fieldFileRules, type FileRules } from '../files/files';

const KINDS = [
	'text-input',
	'paragraph',
	'select',
	'number',
	'checkbox',
	'json_object',
	'file',
	'file-list',
] as const;

export type FormKind = (typeof KINDS)[number];

/** One field of the form that an app shows before its first message (docs/protocols/dify.md 2.11). */
export interface FormField {
	kind: FormKind;
	/** Name of the variable. */
	variable: string;
	label: string;
	required: boolean;
	default?: unknown;
	/** Most characters of a text. */
	maxLength?: number;
	/** Choices of a select. */
	options: string[];
	/** Only for files. */
	files: FileRules;
}

/**
 * The form in `GET /parameters`. Fields of unknown kinds are offered as text; `external_data_tool` is left out, since
 * Dify fills it in itself and fails on any value (docs/protocols/dify.md 2.1.2).
 */
export function readForm(parameters: JsonRecord): FormField[] {
	return recordsIn(parameters.user_input_form).flatMap((entry) =>
		Object.entries(entry).flatMap(([name, settings]) => {
			const variable = isRecord(settings) ? nonEmptyText(settings.variable) : undefined;
			if (!isRecord(settings) || variable === undefined || name === 'external_data_tool') return [];
			return [fieldOf(name, variable, settings)];
		}),
	);
}

function fieldOf(name: string, variable: string, settings: JsonRecord): FormField {
	const kind = KINDS.find((known) => known === name) ?? 'text-input';
	const label = nonEmptyText(settings.label) ?? variable;
	return {
		kind,
		variable,
		label,
		required: settings.required === true,
		maxLength: finiteNumber(settings.max_length),
		...(settings.default === undefined || settings.default === null || settings.default === ''
			? {}
			: { default: settings.default }),
		options: asList(settings.options).map(String),
		files: fieldFileRules(label, kind, settings, finiteNumber(settings.max_length)),
	};
}

/** A value of the form; undefined where there is none, so that Dify uses the default of the form. */
export function formValue(field: FormField, value: unknown): unknown {
	if (value === undefined || value === null) return undefined;
	switch (field.kind) {
		case 'number':
			return numberValue(field, value);
		case 'checkbox':
			return booleanValue(field, value);
		case 'json_object':
			return objectValue(field, value);
		case 'select':
			return value === '' ? undefined : words(value);
		default:
			// Dify takes strings only for text (docs/protocols/dify.md 2.1.2), where expressions easily give numbers.
			return words(value);
	}
}

function numberValue({ label }: FormField, value: unknown): number | undefined {
	if (typeof value === 'string' && value.trim() === '') return undefined;
	const converted = typeof value === 'string' ? Number(value) : value;
	if (typeof converted === 'number' && Number.isFinite(converted)) return converted;
	// A list or object would be a 500 (docs/protocols/dify.md 2.1.2).
	throw localError(
		'inputs',
		`The field "${label}" must be a number, but is ${JSON.stringify(value).slice(0, 100)}`,
	);
}

function booleanValue({ label }: FormField, value: unknown): boolean | undefined {
	if (typeof value === 'string' && value.trim() === '') return undefined;
	const flag = booleanOf(value);
	if (flag !== undefined) return flag;
	throw localError(
		'inputs',
		`The field "${label}" must be true or false, but is ${JSON.stringify(value).slice(0, 100)}`,
	);
}

function objectValue({ label }: FormField, value: unknown): unknown {
	if (value === '') return undefined;
	const parsed = typeof value === 'string' ? parseJson(value) : value;
	if (isRecord(parsed)) return parsed;
	throw localError('inputs', `The field "${label}" must be a JSON object`);
}

/** Reads inputs given as JSON. @throws {ServerError} unless it is an object: Dify would answer with a Python error */
export function jsonInputs(value: unknown): JsonRecord {
	if (typeof value === 'string' && value.trim() === '') return {};
	const parsed = typeof value === 'string' ? parseJson(value) : value;
	if (isRecord(parsed)) return parsed;
	throw localError(
		'inputs',
		'The inputs are not a JSON object',
		'Write them as {"variable": "value"}, or {} for none.',
	);
}
