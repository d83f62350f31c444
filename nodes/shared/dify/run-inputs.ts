/** The inputs of a run: the fields of a node, and their values for the app's form. */
import type { FieldTable, Values } from '../../../lib/fields/field';
import type { AppFormField } from '../../../lib/dify/app-form';
import { parseAppForm } from '../../../lib/dify/app-form';
import { convertFormValue, parseJsonInputs } from '../../../lib/dify/input-values';
import { ServerError } from '../../../lib/errors/server-error';
import { createLocalError } from '../../../lib/dify/create-error';
import { createInputError } from '../../../lib/errors/create-error';
import {
	assertTextLength,
	describeExcess,
	LONG_TEXT_SUGGESTION,
} from '../../../lib/errors/text-limits';
import { TASK_LIMITS } from '../../../lib/task-limits';
import { isConnectionError } from '../../../lib/errors/error-types';
import type { JsonRecord } from '../../../lib/values/records';
import { omitUndefined, isUnset } from '../../../lib/values/records';
import { collectTexts } from '../../../lib/values/text';
import { fetchAppParameters } from '../../../lib/dify/app';
import type { DifyCall } from './dify-operation';
import type { FormFiles } from './form-files';
import { readFiles, isFileField } from './form-files';
import { getOwn } from '../../../lib/values/own-properties';

/** The inputs, as a form or as JSON. */
export const inputFields = {
	inputsMode: {
		kind: 'choice',
		label: 'Inputs',
		default: 'form',
		choices: { json: 'As JSON', form: 'App Fields' },
		isFixed: true,
		description: "The variables of the app's form",
	},
	inputs: {
		kind: 'form',
		label: 'Form',
		load: 'getForm',
		description:
			'Variables of the app. A file field takes the name of a binary field, such as Document, or a URL; a field for files takes several, separated by commas. After another credential is selected, open the menu ⋮ and select Refresh Field List.',
		shownIf: { inputsMode: ['form'] },
	},
	inputsJson: {
		kind: 'json',
		label: 'Inputs as JSON',
		default: '{}',
		rows: 4,
		shownIf: { inputsMode: ['json'] },
		placeholder: 'e.g. { "language": "English" }',
		description:
			'Object with the variables of the app. Values are converted to the type of their variable, as in App Fields. File variables take the name of a binary field, a URL, or an array of either.',
		parse: (value: unknown): JsonRecord => parseJsonInputs(value),
	},
} as const satisfies FieldTable;

/** Values of these fields. */
export type InputValues = Values<typeof inputFields>;

/** The inputs of a run, checked. */
interface RunInputs {
	/** Without those of file fields. */
	values: JsonRecord;
	files: FormFiles;
	/** About inputs that Dify silently drops. */
	warnings: string[];
}

/** The inputs of the app, from its form or as JSON. In a chat, they are sent on every turn, as Dify requires. */
export async function readInputs(call: DifyCall, values: InputValues): Promise<RunInputs> {
	const isJson = values.inputsMode === 'json';
	const input = (isJson ? values.inputsJson : values.inputs) ?? {};
	assertShortInputs(input);
	const isFilledIn = Object.values(input).some((value) => value !== null && value !== undefined);
	const form = isFilledIn ? await fetchForm(call, isJson) : undefined;
	if (form === undefined) {
		const noFiles = await readFiles(call, {}, []);
		return { values: isJson ? input : {}, files: noFiles, warnings: [] };
	}
	assertFormOfApp(input, form, isJson);
	const files = await readFiles(call, input, form.filter(isFileField));
	const textFields = form.filter((field) => !isFileField(field));
	const converted = textFields.map((field) => [
		field.variable,
		convertFormValue(field, getOwn(input, field.variable)),
	]);
	return {
		// Variables that the form does not have are sent as they are: JSON may be for a workflow that reads them otherwise.
		values: {
			...(isJson && withoutFields(input, form)),
			...omitUndefined(Object.fromEntries(converted) as JsonRecord),
		},
		files,
		warnings: getUnknownInputWarnings(input, form, isJson),
	};
}

/** @throws {ServerError} of type `invalidInput` for an input that is too long, and for inputs that are too long together */
function assertShortInputs(input: JsonRecord) {
	let bytes = 0;
	for (const [name, value] of Object.entries(input))
		for (const text of collectTexts(value)) {
			assertTextLength(text, `The input "${name}"`);
			bytes += Buffer.byteLength(text);
		}
	const excess = describeExcess(bytes, TASK_LIMITS.difyRun.sentBytes);
	if (excess !== undefined)
		throw createInputError(`The set of inputs ${excess}`, LONG_TEXT_SUGGESTION);
}

/** The form of the app; undefined if it cannot be read, and the run then reports the error. */
async function fetchForm({ client }: DifyCall, isJson: boolean) {
	const appParameters = await fetchAppParameters(client).catch((error: unknown) => {
		// The run would only wait again for an unreachable server.
		const isUnavailable = error instanceof ServerError && isConnectionError(error.type);
		if (!isJson || isUnavailable) throw error;
		return undefined;
	});
	return appParameters === undefined ? undefined : parseAppForm(appParameters);
}

/** The values of variables that the form does not have. */
function withoutFields(input: JsonRecord, form: readonly AppFormField[]): JsonRecord {
	const unknown = new Set(getUnknownNames(input, form));
	return Object.fromEntries(Object.entries(input).filter(([name]) => unknown.has(name)));
}

const REFRESH =
	'The node has the fields of another app, or of an older form: open the menu ⋮ above the fields and select Refresh Field List, then fill them in.';

/**
 * Rejects the fields of another app before anything is sent. Dify would only name what it misses.
 *
 * @throws {ServerError} of type `invalidInputs` if values are for fields that the form does not have, and required ones are
 *   missing
 */
function assertFormOfApp(input: JsonRecord, form: readonly AppFormField[], isJson: boolean) {
	const unknown = getUnknownNames(input, form);
	const missing = form.filter(
		({ variable, required, default: defaultValue }) =>
			required && defaultValue === undefined && isUnset(getOwn(input, variable)),
	);
	if (unknown.length === 0 || missing.length === 0) return;
	throw createLocalError('invalidInputs', {
		title: `The app has no field ${toList(unknown)}, and requires ${toList(missing.map(({ variable }) => variable))}`,
		inputProblem: 'wrong',
		suggestion: isJson ? `Correct ${inputFields.inputsJson.label}.` : REFRESH,
	});
}

function getUnknownNames(input: JsonRecord, form: readonly AppFormField[]): string[] {
	const names = new Set(form.map(({ variable }) => variable));
	return Object.keys(input).filter((name) => !names.has(name) && !isUnset(getOwn(input, name)));
}

function toList(names: readonly string[]): string {
	return names.map((name) => `"${name}"`).join(', ');
}

/**
 * Warnings about values without a form field: fields are renamed or removed in Dify, which silently drops such inputs
 * (docs/protocols/dify.md 2.1.2).
 */
function getUnknownInputWarnings(
	input: JsonRecord,
	form: readonly AppFormField[],
	isJson: boolean,
): string[] {
	const unknown = getUnknownNames(input, form);
	if (unknown.length === 0) return [];
	const known = form.map(({ variable }) => variable).join(', ') || 'no fields';
	const cure = isJson
		? `Correct ${inputFields.inputsJson.label}.`
		: 'If the app or its form was changed, open the menu ⋮ above the fields and select Refresh Field List.';
	return [
		`The form of the app has no field ${toList(unknown)}, so the value was dropped. Its fields: ${known}. ${cure}`,
	];
}
