import type { JsonRecord } from '../values/records';
import { createLocalError } from './create-error';
import { parseAppForm } from './app-form';

/** A text for the form of an app. */
interface TextInput {
	text: string;
	/** Response of `GET /parameters`. */
	appParameters: JsonRecord;
}

/**
 * Puts the text into the only text variable of the form.
 *
 * @param inputs those that are already filled in
 * @throws {ServerError} if the form has no or several text variables left
 */
export function withTextInput(inputs: JsonRecord, { text, appParameters }: TextInput): JsonRecord {
	const names = parseAppForm(appParameters)
		.filter(
			({ type, variable }) =>
				['text-input', 'paragraph'].includes(type) && !Object.hasOwn(inputs, variable),
		)
		.map(({ variable }) => variable);
	if (names.length === 1) return { ...inputs, [names[0]!]: text };
	if (names.length === 0) {
		throw createLocalError('invalidInputs', {
			title: 'The app has no variable for the field Text',
			suggestion: 'Clear the field Text and fill in the form of the app.',
		});
	}
	throw createLocalError('invalidInputs', {
		title: 'The field Text matches more than one variable of the app',
		suggestion: `Clear the field Text and fill in the form of the app, or fill in all of its text variables except one: ${names.join(', ')}.`,
	});
}
