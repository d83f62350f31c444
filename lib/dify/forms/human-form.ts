import {
	asArray,
	asNonEmptyString,
	omitUndefined,
	asRecord,
	asRecords,
	type JsonRecord,
} from '../../values';
import type { DifyClient } from '../client';
import { createLocalError } from '../errors';
import { getAllowedFileTypes } from '../files/file-refs';
import { apiPath, PathSegment } from '../ids';

/** A field of a human input form (docs/protocols/dify.md 2.5). */
interface HumanFormField {
	name: string;
	type: string;
	/** Options of a select; undefined if they come from the run, not from the form. */
	options?: string[];
	/** Dify applies it on its own page, but not through the API. */
	default?: string;
	/** Allowed types of files; undefined: any. */
	fileTypes?: readonly unknown[];
}

/** Path of a form. @throws {ServerError} without a token: the form is sent by email */
export function formPath(token: string): string {
	if (token !== '' && token !== 'null' && token !== 'undefined')
		return apiPath`/form/human_input/${new PathSegment(token)}`;
	throw createLocalError(
		'formRejected',
		'The form has no token, so it cannot be submitted through the API',
		'A form without a token is sent by email only and answered there. Enable the web app as a delivery method in the Human Input node in Dify, or check the field Form Token.',
	);
}

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
		const optional = {
			options: isChoice ? asArray(source.value).map(String) : undefined,
			default: asNonEmptyString(asRecord(resolved)[name]) ?? constant,
			fileTypes: getAllowedFileTypes(input),
		};
		return [
			{ name, type: asNonEmptyString(input.type) ?? 'paragraph', ...omitUndefined(optional) },
		];
	});
}

/** The buttons of a form: `actions` in the pause event, `user_actions` in the form itself. */
export function parseFormActions({
	user_actions,
	actions,
}: JsonRecord): Array<{ id: string; title: string }> {
	return asRecords(user_actions ?? actions).flatMap(({ id, title }) => {
		const actionId = asNonEmptyString(id);
		return actionId === undefined
			? []
			: [{ id: actionId, title: asNonEmptyString(title) ?? actionId }];
	});
}

/** Submits a form. Never resent: Dify rejects a second submission. @throws {ServerError} */
export async function submitForm(
	client: DifyClient,
	token: string,
	submission: { action: string; inputs: JsonRecord; user: string },
): Promise<void> {
	await client.sendJson('POST', formPath(token), submission);
}
