import { asFailed, ServerError, throwAs } from '../../errors/server-error';
import { pathSegment } from '../../http/path-segment';
import type { DifyClient } from '../client';
import { localError } from '../errors/failure';
import { fieldFileRules, type FileRules } from '../files/files';
import {
	asList,
	finiteNumber,
	isFilled,
	type JsonRecord,
	nonEmptyText,
	optional,
	recordOf,
	recordsIn,
	words,
} from '../../values';

/** A field of a form that a run waits for (docs/protocols/dify.md 2.5). */
interface HumanInput {
	name: string;
	kind: 'paragraph' | 'select' | 'file' | 'file-list';
	/** Choices of a select; undefined where they come from the run, not from the form. */
	options?: string[];
	/** Dify fills it in on its own page, but not over the API. */
	default?: string;
	/** Only for files. */
	files: FileRules;
}

/** A button of the form. */
interface HumanAction {
	id: string;
	title: string;
}

/** A form that a paused run waits for. */
interface OpenForm {
	formToken: string;
	/** Markdown. */
	formContent: string;
	inputs: HumanInput[];
	actions: HumanAction[];
	/** Unix seconds. */
	expirationTime?: number;
	/** The form as Dify sent it. */
	raw: JsonRecord;
}

const pathOf = (token: string) => `/form/human_input/${pathSegment(token)}`;

/** The token of a form. @throws {ServerError} where there is none: the form is answered by e-mail */
export function tokenOf(value: unknown): string {
	const token = typeof value === 'string' ? value.trim() : '';
	if (token !== '' && token !== 'null' && token !== 'undefined') return token;
	throw localError(
		'formRejected',
		'The form has no token, so it cannot be answered over the API',
		'A form without a token goes out by e-mail only, and is answered there. Switch on the web app as a way of delivery in the Human Input node in Dify, or check the field Form Token.',
	);
}

/**
 * The form behind a token.
 *
 * @throws {ServerError} `formClosed` where it was answered or has expired, or `notFound`
 */
export async function getHumanForm(client: DifyClient, token: string): Promise<OpenForm> {
	const raw = await client.get(pathOf(token)).catch(throwAs(explained));
	return readHumanForm(token, raw);
}

/** Reads a form. Its buttons are `actions` in the event of a pause, `user_actions` in the form itself. */
export function readHumanForm(formToken: string, raw: JsonRecord): OpenForm {
	const defaults = recordOf(raw.resolved_default_values);
	return {
		formToken,
		formContent: nonEmptyText(raw.form_content) ?? '',
		inputs: recordsIn(raw.inputs).flatMap((input) => inputOf(input, defaults) ?? []),
		actions: recordsIn(raw.user_actions ?? raw.actions).flatMap(({ id, title }) => {
			const known = nonEmptyText(id);
			return known === undefined ? [] : [{ id: known, title: nonEmptyText(title) ?? known }];
		}),
		expirationTime: finiteNumber(raw.expiration_time),
		raw,
	};
}

const KINDS: ReadonlyArray<HumanInput['kind']> = ['paragraph', 'select', 'file', 'file-list'];

function inputOf(input: JsonRecord, defaults: JsonRecord): HumanInput | undefined {
	const name = nonEmptyText(input.output_variable_name);
	if (name === undefined) return undefined;
	const kind = KINDS.find((each) => each === input.type) ?? 'paragraph';
	const source = recordOf(input.option_source);
	const own = recordOf(input.default);
	const preset =
		nonEmptyText(defaults[name]) ?? (own.type === 'variable' ? undefined : nonEmptyText(own.value));
	return {
		name,
		kind,
		...(kind === 'select' && source.type !== 'variable'
			? { options: asList(source.value).map(String) }
			: {}),
		...optional({ default: preset }),
		files: fieldFileRules(name, kind, input),
	};
}

/** ID of a button, found by ID or label. @throws {ServerError} where the form has no such button */
export function actionOf({ actions }: OpenForm, wanted: string): string {
	const named =
		actions.find(({ id }) => id === wanted) ?? actions.find(({ title }) => isSame(title, wanted));
	if (named !== undefined) return named.id;
	throw localError(
		'formRejected',
		wanted === '' ? 'No action is given' : `The form has no action "${wanted}"`,
		`It has: ${actions.map(({ id, title }) => (id === title ? id : `${id} (${title})`)).join(', ')}. The form is still open.`,
	);
}

function isSame(title: string, wanted: string): boolean {
	return title.trim().toLowerCase() === wanted.trim().toLowerCase();
}

/**
 * Checks the values of a form before they are sent: every field must have one (docs/protocols/dify.md 2.5).
 *
 * @param values of the fields that are not files
 * @param files names of file fields that have a value
 * @throws {ServerError} of kind `formRejected`
 */
export function checkedValues(
	form: OpenForm,
	values: JsonRecord,
	files: ReadonlySet<string>,
): JsonRecord {
	checkNames(form, values);
	const texts = form.inputs.filter(({ name }) => !files.has(name));
	return Object.fromEntries(texts.map((input) => [input.name, checkedValue(input, values)]));
}

function checkNames({ inputs }: OpenForm, values: JsonRecord): void {
	const names = inputs.map(({ name }) => name);
	const unknown = Object.keys(values).filter((name) => !names.includes(name));
	if (unknown.length === 0) return;
	throw stillOpen(
		`The form has no field "${unknown.join('", "')}"`,
		`It has: ${names.join(', ') || 'no fields'}.`,
	);
}

/** Dify accepts a number, but then the run fails: everything is sent as text. */
function checkedValue({ name, options, default: preset }: HumanInput, values: JsonRecord): string {
	const value = isFilled(values[name]) ? words(values[name]) : preset;
	if (value === undefined)
		throw stillOpen(`The form field "${name}" is empty`, 'Every field of a form needs a value.');
	if (options !== undefined && !options.includes(value))
		throw stillOpen(
			`The form field "${name}" cannot be "${value.slice(0, 100)}"`,
			`It must be one of: ${options.join(', ')}.`,
		);
	return value;
}

function stillOpen(message: string, remedy: string): ServerError {
	return localError(
		'formRejected',
		message,
		`${remedy} Nothing was sent, and the form is still open.`,
	);
}

/**
 * Submits a form. Never sent twice: a second answer is refused. If it is unknown whether the first one arrived, the
 * form is read.
 *
 * @throws {ServerError} `formRejected` while the form stays open, or `formClosed`
 */
export async function submitHumanForm(
	client: DifyClient,
	token: string,
	answer: { action: string; inputs: JsonRecord; user: string },
): Promise<void> {
	try {
		await client.send('POST', pathOf(token), answer);
	} catch (error) {
		const { failed } = asFailed(error);
		if (!isUncertain(failed) || !(await isSubmitted(client, token))) throw explained(failed);
	}
}

/** Whether the answer may have arrived: a confirmation that cannot be read is none. */
function isUncertain({ kind, status }: ServerError): boolean {
	if (kind === 'cancelled') return false;
	return status === undefined ? kind !== 'refused' : status < 300 || status >= 500;
}

async function isSubmitted(client: DifyClient, token: string): Promise<boolean> {
	const outcome = await client.get(pathOf(token)).catch((error: unknown) => error);
	return outcome instanceof ServerError && outcome.code === 'human_input_form_submitted';
}

/** Rewords an error about a form. */
function explained(error: ServerError): ServerError {
	const { code } = error;
	if (code === 'human_input_form_submitted')
		return error.reworded({
			kind: 'formClosed',
			message: 'The form was answered already',
			remedy:
				'The first answer counts. Do not submit it again: follow the run with the operation Follow.',
		});
	if (code === 'human_input_form_expired')
		return error.reworded({
			kind: 'formClosed',
			message: 'The form has expired',
			remedy:
				'The run took the timeout branch of its Human Input node: the operation Follow gives its result.',
		});
	if (error.kind === 'notFound' || code === 'human_input_form_not_found')
		return error.reworded({
			kind: 'notFound',
			message: 'Dify does not find the form',
			remedy:
				'Check the form token, and the key of the credential: it must be that of the app whose run waits. A form that goes out by e-mail only cannot be answered over the API.',
		});
	return error;
}
