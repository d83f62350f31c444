/** Explains an input that Dify rejected, with what the form of the app says about it. */
import type { JsonRecord } from '../values/records';
import { truncate } from '../values/text';
import type { ServerError } from '../errors/server-error';
import type { DifyClient } from './client';
import type { AppFormField } from './app-form';
import { parseAppForm } from './app-form';

const REJECTED_INPUT =
	/^(?:\(type '[^'\n]{1,40}'\) )?(\S{1,200}) (?:is required in input form|in input form (.{1,400}))$/s;

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
	const [, variable, problem] = match;
	const parameters: JsonRecord = await client.get('/parameters').catch(() => ({}));
	const field = parseAppForm(parameters).find((each) => each.variable === variable);
	if (field === undefined) return error;
	return error.withField(truncate(field.label, 60)).copyWith({
		detail: `${error.detail} (${describeField(field)})`,
		suggestion:
			problem === 'must be a string'
				? 'Enter text: in Inputs as JSON, put the value in quotation marks, also if it is a number.'
				: error.suggestion,
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
