import { parseJson } from '../../json';
import {
	asList,
	booleanOf,
	isFilled,
	isRecord,
	nonEmptyText,
	plainNumber,
	recordsIn,
	words,
	type JsonRecord,
} from '../../values';
import { localError } from '../errors';
import { allowedTypes } from '../files/file-refs';

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

export type FormFieldType = (typeof KINDS)[number];

/** One field of the form that an app shows before its first message (docs/protocols/dify.md 2.11). */
export interface FormField {
	kind: FormFieldType;
	/** Name of the variable. */
	variable: string;
	label: string;
	required: boolean;
	default?: unknown;
	/** Choices of a select. */
	options: string[];
	/** Types of files that it takes; undefined: any. */
	types?: readonly unknown[];
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
	return {
		kind: KINDS.find((known) => known === name) ?? 'text-input',
		variable,
		label: nonEmptyText(settings.label) ?? variable,
		required: settings.required === true,
		...(isFilled(settings.default) && { default: settings.default }),
		options: asList(settings.options).map(String),
		types: allowedTypes(settings),
	};
}

/**
 * A value in the type that Dify takes; undefined where there is none, so that it uses the default of the form.
 * Expressions easily give a number for a text, and a text for all else. What cannot be converted is sent as it is.
 */
export function formValue({ kind }: FormField, value: unknown): unknown {
	if (value === undefined || value === null) return undefined;
	const convert = CONVERSIONS[kind];
	if (convert === undefined) return kind === 'select' && value === '' ? undefined : words(value);
	const isBlank = typeof value === 'string' && value.trim() === '';
	return isBlank ? undefined : (convert(value) ?? value);
}

/** Of the kinds that are no text; undefined for what cannot be converted. */
const CONVERSIONS: Readonly<Record<string, (value: unknown) => unknown>> = {
	number: plainNumber,
	checkbox: booleanOf,
	json_object: (value) => (typeof value === 'string' ? parseJson(value) : value),
};

/** Reads inputs given as JSON. @throws {ServerError} unless it is an object: Dify would answer with a Python error */
export function jsonInputs(value: unknown): JsonRecord {
	if (typeof value === 'string' && value.trim() === '') return {};
	const parsed = typeof value === 'string' ? parseJson(value) : value;
	if (isRecord(parsed)) return parsed;
	throw localError(
		'inputs',
		'The inputs are not a JSON object',
		'Enter {"variable": "value"}, or {} for none.',
	);
}
