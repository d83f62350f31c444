import type { IExecuteFunctions } from 'n8n-workflow';

import { refusedHere } from '../../lib/dify/failure';
import { formValue, jsonInputs, readForm, type FormField } from '../../lib/dify/form';
import { fields, isFields, type Fields } from '../../lib/dify/read';
import type { DifyApp } from '../dify/apps';
import type { Parameters } from '../dify/parameters';
import { formFiles, sentFiles } from './files';

/** The inputs of the app, from the fields of its form or as JSON. They are sent on every turn, as Dify demands. */
export async function inputsOf(context: IExecuteFunctions, parameters: Parameters, app: DifyApp, user: string, signal: AbortSignal): Promise<Fields> {
	if (parameters.raw('inputsMode', 'form') === 'json') return jsonInputs(parameters.raw('inputsJson', '{}'));
	// As a whole: n8n's own check of `inputs.value` fails on the null of a form that nobody filled in.
	const given = fields(parameters.raw('inputs', {})).value;
	if (!isFields(given) || Object.values(given).every((value) => value === null || value === undefined)) return {};
	const form = readForm(await app.parameters(signal));
	const inputs: Fields = {};
	for (const field of form) {
		const value = given[field.variable];
		const converted = isFileField(field) ? await fileValue(context, parameters.itemIndex, app, user, field, value, signal) : formValue(field, value);
		if (converted !== undefined) inputs[field.variable] = converted;
	}
	return inputs;
}

function isFileField({ kind }: FormField): boolean {
	return kind === 'file' || kind === 'file-list';
}

async function fileValue(context: IExecuteFunctions, itemIndex: number, app: DifyApp, user: string, field: FormField, value: unknown, signal: AbortSignal): Promise<unknown> {
	if (value === undefined || value === null || value === '') return undefined;
	const given = await formFiles(context, itemIndex, value);
	const files = 'ready' in given ? given.ready : await sentFiles(app.client, user, given.wanted, field.files, await app.parameters(signal), signal);
	if (field.kind === 'file-list') return files;
	if (files.length > 1) throw refusedHere('inputs', `The field "${field.label}" takes one file, but ${files.length} are given`);
	return files[0];
}
