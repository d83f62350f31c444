/** Forms: the one that an app shows before the first message, and those of runs that wait for human input. */
import type { JsonRecord } from '../values/records';
import {
	asArray,
	isNonEmpty,
	isRecord,
	asNonEmptyString,
	asRecords,
	asRecord,
} from '../values/records';
import { parseJsonExactly, parseJsonToSend, toExactNumber } from '../values/exact-json';
import { parseNumber, asFiniteNumber } from '../values/numbers';
import { parseBoolean, toText, truncate } from '../values/text';
import type { ServerError } from '../errors/server-error';
import { createLocalError } from './create-error';
import { getAllowedFileTypes } from './files';
import type { DifyClient } from './client';
import { apiPath, PathSegment } from './api-path';

const FORM_FIELD_TYPES = [
	'text-input',
	'paragraph',
	'select',
	'number',
	'checkbox',
	'json_object',
	'file',
	'file-list',
] as const;

export type FormFieldType = (typeof FORM_FIELD_TYPES)[number];

/** A field of the form that an app shows before the first message (docs/protocols/dify.md 2.11). */
export interface FormField {
	type: FormFieldType;
	/** Name of the variable. */
	variable: string;
	label: string;
	required: boolean;
	/** As in Dify; missing if empty. */
	default?: unknown;
	/** Options of a select. */
	options: string[];
	/** Allowed types of files; undefined: any. */
	fileTypes: readonly unknown[] | undefined;
	/** Maximum of characters or files. */
	maxLength: number | undefined;
}

/** A field of a human input form (docs/protocols/dify.md 2.5). */
export interface HumanFormField {
	name: string;
	/** Dify's type of the field. */
	type: string;
	/** The options of a select; undefined if they come from the run, not from the form. */
	options: string[] | undefined;
	/** Dify applies it on its own page, but not through the API. */
	default: string | undefined;
	/** Allowed types of files; undefined: any. */
	fileTypes: readonly unknown[] | undefined;
}

/** A button of a human input form. */
export interface FormAction {
	id: string;
	title: string;
}

/**
 * The form in `GET /parameters`. Fields of unknown types become text fields; `external_data_tool` is omitted, since
 * Dify sets it itself and fails on any value (docs/protocols/dify.md 2.1.2).
 */
export function parseForm(parameters: JsonRecord): FormField[] {
	return asRecords(parameters.user_input_form).flatMap((entry) =>
		Object.entries(entry).flatMap(([name, settings]) => {
			const variable = isRecord(settings) ? asNonEmptyString(settings.variable) : undefined;
			if (!isRecord(settings) || variable === undefined || name === 'external_data_tool') return [];
			return [parseField(settings, { typeName: name, variable })];
		}),
	);
}

function parseField(
	settings: JsonRecord,
	{ typeName, variable }: { typeName: string; variable: string },
): FormField {
	return {
		type: FORM_FIELD_TYPES.find((type) => type === typeName) ?? 'text-input',
		variable,
		label: asNonEmptyString(settings.label) ?? variable,
		required: settings.required === true,
		...(isNonEmpty(settings.default) && { default: settings.default }),
		options: asArray(settings.options).map(String),
		fileTypes: getAllowedFileTypes(settings),
		maxLength: asFiniteNumber(settings.max_length),
	};
}

const REJECTED_INPUT =
	/^(?:\(type '[^'\n]{1,40}'\) )?(\S{1,200}) (?:(is required) in input form|in input form (.{1,400}))$/s;

/**
 * Explains a rejected input by its label, type and limit. Dify names only the variable.
 *
 * @returns the error; other errors unchanged
 */
export async function explainInputError(
	error: ServerError,
	client: DifyClient,
): Promise<ServerError> {
	const match = REJECTED_INPUT.exec(error.serverText?.trim().replace(/\.$/, '') ?? '');
	if (error.type !== 'invalidInputs' || match === null) return error;
	const [, variable, required, problem] = match;
	const parameters: JsonRecord = await client.get('/parameters').catch(() => ({}));
	const field = parseForm(parameters).find((each) => each.variable === variable);
	if (field === undefined) return error;
	const title = `The input "${truncate(field.label, 60)}" ${truncate(required ?? problem ?? '', 80)}`;
	return error.copyWith({
		title,
		detail: `${title} (${describeField(field)})`,
		suggestion:
			problem === 'must be a string'
				? 'Enter text: in Inputs as JSON, put the value in quotation marks, also if it is a number.'
				: error.suggestion,
	});
}

/** The facts that decide whether Dify accepts a value. */
function describeField({ variable, type, maxLength = 0, options }: FormField) {
	const unit = type === 'file-list' ? 'files' : 'characters';
	const facts = [`variable ${variable}`, `type ${type}`];
	if (maxLength > 0) facts.push(`maximum ${maxLength} ${unit}`);
	if (options.length > 0) facts.push(`one of ${truncate(options.join(', '), 200)}`);
	return facts.join(', ');
}

/**
 * Converts a value to the field type; undefined if it is empty, so that Dify uses the form default. Expressions often
 * return a number for a text field, and text for other types. Values that cannot be converted are sent unchanged.
 */
export function convertFormValue({ type }: FormField, value: unknown): unknown {
	if (value === undefined || value === null) return undefined;
	const convert = CONVERSIONS[type];
	if (convert === undefined) return type === 'select' && value === '' ? undefined : toText(value);
	const isBlank = typeof value === 'string' && value.trim() === '';
	return isBlank ? undefined : (convert(value) ?? value);
}

/** Converters of non-text types; they return undefined if the conversion fails. */
const CONVERSIONS: Readonly<Record<string, (value: unknown) => unknown>> = {
	number: toExactNumber,
	checkbox: parseBoolean,
	json_object: (value) => (typeof value === 'string' ? parseJsonToSend(value) : value),
};

/** A number that Dify sent, or its digits if JavaScript cannot represent it. */
export function parseExactNumber(value: unknown): string | number | undefined {
	const number = parseNumber(value);
	if (typeof value !== 'string' || number === undefined) return number;
	const exact = parseJsonExactly(value.trim());
	return typeof exact === 'string' ? exact : number;
}

/**
 * Parses JSON inputs.
 *
 * @throws {ServerError} if it is not an object: Dify would return a Python error
 */
export function parseJsonInputs(value: unknown): JsonRecord {
	if (typeof value === 'string' && value.trim() === '') return {};
	const parsed = typeof value === 'string' ? parseJsonToSend(value) : value;
	if (isRecord(parsed)) return parsed;
	throw createLocalError('invalidInputs', {
		title: 'The inputs are not a JSON object',
		suggestion: 'Enter {"variable": "value"}, or {} for none.',
	});
}

/**
 * Path of a form.
 *
 * @throws {ServerError} without a token: the form is sent by email
 */
export function formPath(token: string): string {
	if (token !== '' && token !== 'null' && token !== 'undefined') {
		return apiPath`/form/human_input/${new PathSegment(token)}`;
	}
	throw createLocalError('formRejected', {
		title: 'The form has no token, so it cannot be submitted through the API',
		suggestion:
			'A form without a token is sent by email only and answered there. Enable the web app as a delivery method in the Human Input node in Dify, or check the field Form Token.',
	});
}

/** Where Dify's page shows a field of the form. */
const FIELD_MARK = /\{\{#\s{0,9}\$output\.([^#{}\s]{1,200})\s{0,9}#\}\}/g;

/**
 * The text of a human input form with names in brackets where Dify's page shows its fields. Other marks stay.
 *
 * @param content Markdown; undefined if it is empty or no text
 * @param inputs the fields, as Dify sends them
 */
export function withFieldNames(content: unknown, inputs: unknown): string | undefined {
	const names = new Set(asRecords(inputs).map((input) => input.output_variable_name));
	return asNonEmptyString(content)?.replace(FIELD_MARK, (mark, name: string) =>
		names.has(name) ? `[${name}]` : mark,
	);
}

/** The fields of a human input form (docs/protocols/dify.md 2.5). */
export function parseFormFields({
	inputs,
	resolved_default_values: resolved,
}: JsonRecord): HumanFormField[] {
	return asRecords(inputs).flatMap((input) => {
		const name = asNonEmptyString(input.output_variable_name);
		if (name === undefined) return [];
		const source = asRecord(input.option_source);
		const defaultSetting = asRecord(input.default);
		const constant =
			defaultSetting.type === 'variable' ? undefined : asNonEmptyString(defaultSetting.value);
		const isChoice = input.type === 'select' && source.type !== 'variable';
		const field: HumanFormField = {
			name,
			type: asNonEmptyString(input.type) ?? 'paragraph',
			options: isChoice ? asArray(source.value).map(String) : undefined,
			default: asNonEmptyString(asRecord(resolved)[name]) ?? constant,
			fileTypes: getAllowedFileTypes(input),
		};
		return [field];
	});
}

/** The buttons of a form: `actions` in the pause event, `user_actions` in the form itself. */
export function parseFormActions({ user_actions, actions }: JsonRecord): FormAction[] {
	return asRecords(user_actions ?? actions).flatMap(({ id, title }) => {
		const actionId = asNonEmptyString(id);
		return actionId === undefined
			? []
			: [{ id: actionId, title: asNonEmptyString(title) ?? actionId }];
	});
}

const MAX_NAMED_ACTIONS = 20;

/** The error of an action that is no button of a form. It names the buttons. */
export function createActionError(actions: readonly FormAction[], action: string): ServerError {
	const names = actions.map(({ id, title }) =>
		title === id ? truncate(id, 60) : `${truncate(id, 60)} ("${truncate(title, 60)}")`,
	);
	const rest = names.length > MAX_NAMED_ACTIONS ? ', …' : '';
	const list = `${names.slice(0, MAX_NAMED_ACTIONS).join(', ')}${rest}`;
	return createLocalError('formRejected', {
		title: `The form has no button "${truncate(action, 60)}"`,
		suggestion: `Enter one of its buttons in the field Action: ${list}. The form is still open.`,
	});
}
