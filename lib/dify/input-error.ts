/** Explains an input that Dify rejected, with what the form of the app says about it. */
import type { JsonRecord } from '../values/records';
import { truncate } from '../values/text';
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import type { DifyClient } from './client';
import { parseAppForm } from './app-form';

/** How Dify names the place of a value: its form, and the variable in it (docs/protocols/dify.md 6.1). */
const PLACE = /^(?:\(type '[^'\n]{1,40}'\) )?(\S{1,200}) (?:is required )?in input form\b/;

/** The fields of the nodes with the inputs of an app. */
const INPUT_LABELS = ['Form', 'Inputs as JSON'];

/**
 * Explains a rejected input by its label, type and limit. Dify names only the variable.
 *
 * @returns the error, of the type `invalidInputs`; of `notPublished`, if the app has no form yet; one that names no field,
 *   unchanged
 */
export async function explainInputError(
	error: ServerError,
	client: DifyClient,
): Promise<ServerError> {
	const parameters: JsonRecord | ServerError = await client
		.getCached('/parameters')
		.catch(asServerErrorOrThrow);
	if (parameters instanceof ServerError)
		// Only a published app has parameters.
		return parameters.type === 'appUnavailable' ? error.asType('notPublished') : error;
	const [, variable] = PLACE.exec(error.serverText?.trim() ?? '') ?? [];
	const field = parseAppForm(parameters).find((each) => each.variable === variable);
	if (field === undefined) return error;
	const places = INPUT_LABELS.map((label) => ({ label, entry: field.variable }));
	const { type, maxLength, options } = field;
	return error
		.asType('invalidInputs')
		.withField(truncate(field.label, 60), places)
		.withFacts({ formField: { variable: field.variable, type, maxLength, options } });
}
