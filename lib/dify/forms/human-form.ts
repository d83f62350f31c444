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

/** A field of a form that a run waits for (docs/protocols/dify.md 2.5). */
interface HumanFormField {
	name: string;
	type: string;
	/** Choices of a select; undefined where they come from the run, not from the form. */
	options?: string[];
	/** Dify fills it in on its own page, but not over the API. */
	default?: string;
	/** Allowed types of files; undefined: any. */
	fileTypes?: readonly unknown[];
}

/** The address of a form. @throws {ServerError} where there is no token: the form is answered by e-mail */
export function formPath(token: string): string {
	if (token !== '' && token !== 'null' && token !== 'undefined')
		return apiPath`/form/human_input/${new PathSegment(token)}`;
	throw createLocalError(
		'formRejected',
		'The form has no token, so it cannot be submitted through the API',
		'A form without a token is sent by email only and answered there. Enable the web app as a delivery method in the Human Input node in Dify, or check the field Form Token.',
	);
}

/** The fields of a form. */
export function parseFormFields({
	inputs,
	resolved_default_values: resolved,
}: JsonRecord): HumanFormField[] {
	return asRecords(inputs).flatMap((input) => {
		const name = asNonEmptyString(input.output_variable_name);
		if (name === undefined) return [];
		const source = asRecord(input.option_source);
		const own = asRecord(input.default);
		const constant = own.type === 'variable' ? undefined : asNonEmptyString(own.value);
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

/** The buttons of a form: `actions` in the event of a pause, `user_actions` in the form itself. */
export function parseFormActions({
	user_actions,
	actions,
}: JsonRecord): Array<{ id: string; title: string }> {
	return asRecords(user_actions ?? actions).flatMap(({ id, title }) => {
		const known = asNonEmptyString(id);
		return known === undefined ? [] : [{ id: known, title: asNonEmptyString(title) ?? known }];
	});
}

/** Submits a form. Never sent twice: a second answer is refused. @throws {ServerError} */
export async function submitForm(
	client: DifyClient,
	token: string,
	answer: { action: string; inputs: JsonRecord; user: string },
): Promise<void> {
	await client.sendJson('POST', formPath(token), answer);
}
