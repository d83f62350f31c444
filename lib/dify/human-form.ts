/** The form of a run that waits for human input (docs/protocols/dify.md 2.5). */
import type { JsonRecord } from '../values/records';
import { asArray, asNonEmptyString, asRecords, asRecord, isUnset } from '../values/records';
import { truncate } from '../values/text';
import type { ServerError } from '../errors/server-error';
import { createLocalError } from './create-error';
import type { FileRules } from './allowed-files';
import { parseFieldFileRules } from './allowed-files';
import { apiPath, PathSegment } from './api-path';
import { getOwn } from '../values/own-properties';

/** A field of a human input form (docs/protocols/dify.md 2.5). */
export interface HumanFormField {
	name: string;
	/** Dify's type of the field. */
	type: string;
	/** The options of a select; undefined if they come from the run, not from the form. */
	options: string[] | undefined;
	/** Dify applies it on its own page, but not through the API. */
	default: string | undefined;
	/** Files that it accepts, if it is for files. */
	fileRules: FileRules | undefined;
}

/** A button of a human input form. */
export interface HumanFormAction {
	id: string;
	title: string;
}

/**
 * Path of a form.
 *
 * @throws {ServerError} without a token: the form is sent by email
 */
export function humanFormPath(token: string): string {
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
 * @param form as Dify sends it
 * @returns Markdown; undefined if the text is empty or no text
 */
export function toFormContent({ form_content: content, inputs }: JsonRecord): string | undefined {
	const names = new Set(asRecords(inputs).map((input) => input.output_variable_name));
	return asNonEmptyString(content)?.replace(FIELD_MARK, (mark, name: string) =>
		names.has(name) ? `[${name}]` : mark,
	);
}

/** The fields of a human input form (docs/protocols/dify.md 2.5). */
export function parseHumanFormFields({
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
		const type = asNonEmptyString(input.type) ?? 'paragraph';
		const field: HumanFormField = {
			name,
			type,
			options: isChoice ? asArray(source.value).map(String) : undefined,
			default: asNonEmptyString(getOwn(asRecord(resolved), name)) ?? constant,
			fileRules: parseFieldFileRules({ type, settings: input }),
		};
		return [field];
	});
}

/** The buttons of a form: `actions` in the pause event, `user_actions` in the form itself. */
export function parseHumanFormActions({ user_actions, actions }: JsonRecord): HumanFormAction[] {
	return asRecords(user_actions ?? actions).flatMap(({ id, title }) => {
		const actionId = asNonEmptyString(id);
		return actionId === undefined
			? []
			: [{ id: actionId, title: asNonEmptyString(title) ?? actionId }];
	});
}

const MAX_NAMED_ACTIONS = 20;

/** The error of an action that is no button of a form. It names the buttons. */
export function createActionError(
	actions: readonly HumanFormAction[],
	action: string,
): ServerError {
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

/** Fields that an error names. */
const MAX_NAMED_FIELDS = 20;

/**
 * The error of a rejected form, with what the node knows of it: the fields for which no value was sent.
 *
 * @param inputs - The values that were sent, by field.
 */
export function withMissingValues(
	error: ServerError,
	fields: readonly HumanFormField[],
	inputs: JsonRecord,
): ServerError {
	const missing = fields
		.filter(({ name }) => isUnset(getOwn(inputs, name)))
		.slice(0, MAX_NAMED_FIELDS);
	if (error.type !== 'formRejected' || missing.length === 0) return error;
	const names = missing.map(({ name }) => name);
	const example = Object.fromEntries(
		missing.map(({ name, options = [] }) => [name, options[0] ?? '…']),
	);
	return error.withFacts({ missingValues: { names, example } });
}
