/** Explains an input that Dify rejected, with what the form of the app says about it. */
import type { JsonRecord } from '../values/records';
import { truncate } from '../values/text';
import { getErrorText } from '../errors/error-types';
import type { ServerError } from '../errors/server-error';
import type { DifyClient } from './client';
import type { AppFormField } from './app-form';
import { parseAppForm } from './app-form';

/** How Dify names the place of a value: its form, and the variable in it (docs/protocols/dify.md 6.1). */
const PLACE = /^(?:\(type '[^'\n]{1,40}'\) )?(\S{1,200}) (?:is required )?in input form\b/;

/**
 * Explains a rejected input by its label, type and limit. Dify names only the variable.
 *
 * @returns the error, of the type `invalidInputs`; one that names no field of the form, unchanged
 */
export async function explainInputError(
	error: ServerError,
	client: DifyClient,
): Promise<ServerError> {
	const parameters: JsonRecord = await client.getCached('/parameters').catch(() => ({}));
	const [, variable] = PLACE.exec(error.serverText?.trim() ?? '') ?? [];
	const field = parseAppForm(parameters).find((each) => each.variable === variable);
	if (field === undefined) return error;
	const { suggestion } = getErrorText('invalidInputs', { service: 'dify' });
	return error.withField(truncate(field.label, 60)).copyWith({
		type: 'invalidInputs',
		detail: `${error.detail} (${describeField(field)})`,
		suggestion,
	});
}

/** The facts that decide whether Dify accepts a value. */
function describeField({ variable, type, maxLength = 0, options }: AppFormField) {
	const unit = type === 'file-list' ? 'files' : 'characters';
	const facts = [`variable ${variable}`, `type ${type}`];
	if (maxLength > 0) facts.push(`maximum ${maxLength} ${unit}`);
	if (options.length > 0) facts.push(`one of ${truncate(options.join(', '), 200)}`);
	return facts.join(', ');
}
