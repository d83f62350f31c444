import { asList, nonEmptyText, optional, recordOf, recordsIn, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { localError } from '../errors';
import { allowedTypes } from '../files/file-refs';
import { path, PathSegment } from '../ids';

/** A field of a form that a run waits for (docs/protocols/dify.md 2.5). */
interface HumanFormField {
	name: string;
	kind: string;
	/** Choices of a select; undefined where they come from the run, not from the form. */
	options?: string[];
	/** Dify fills it in on its own page, but not over the API. */
	default?: string;
	/** Types of files that it takes; undefined: any. */
	types?: readonly unknown[];
}

/** The address of a form. @throws {ServerError} where there is no token: the form is answered by e-mail */
export function formPath(token: string): string {
	if (token !== '' && token !== 'null' && token !== 'undefined')
		return path`/form/human_input/${new PathSegment(token)}`;
	throw localError(
		'formRejected',
		'The form has no token, so it cannot be submitted through the API',
		'A form without a token is sent by email only and answered there. Enable the web app as a delivery method in the Human Input node in Dify, or check the field Form Token.',
	);
}

/** The fields of a form. */
export function inputsOfForm({
	inputs,
	resolved_default_values: resolved,
}: JsonRecord): HumanFormField[] {
	return recordsIn(inputs).flatMap((input) => {
		const name = nonEmptyText(input.output_variable_name);
		if (name === undefined) return [];
		const source = recordOf(input.option_source);
		const own = recordOf(input.default);
		const constant = own.type === 'variable' ? undefined : nonEmptyText(own.value);
		const isChoice = input.type === 'select' && source.type !== 'variable';
		const known = {
			options: isChoice ? asList(source.value).map(String) : undefined,
			default: nonEmptyText(recordOf(resolved)[name]) ?? constant,
			types: allowedTypes(input),
		};
		return [{ name, kind: nonEmptyText(input.type) ?? 'paragraph', ...optional(known) }];
	});
}

/** The buttons of a form: `actions` in the event of a pause, `user_actions` in the form itself. */
export function actionsOf({
	user_actions,
	actions,
}: JsonRecord): Array<{ id: string; title: string }> {
	return recordsIn(user_actions ?? actions).flatMap(({ id, title }) => {
		const known = nonEmptyText(id);
		return known === undefined ? [] : [{ id: known, title: nonEmptyText(title) ?? known }];
	});
}

/** Submits a form. Never sent twice: a second answer is refused. @throws {ServerError} */
export async function submitForm(
	client: DifyClient,
	token: string,
	answer: { action: string; inputs: JsonRecord; user: string },
): Promise<void> {
	await client.send('POST', formPath(token), answer);
}
