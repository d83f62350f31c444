import { longTextField } from '../../shared/field-kinds';
import { wrongField } from '../../shared/field-values';
import type { NodeParameters } from '../../shared/parameters';

export const textField = longTextField('Text', 'text', 4, {
	required: true,
	placeholder: 'e.g. {{ $json.text }}',
});

/**
 * The text of the item. @throws {ServerError} of kind `invalidInput` where it is empty: a model would make something up
 */
export function textIn(parameters: NodeParameters): string {
	const text = parameters.freeText('text');
	if (text.trim() === '') throw wrongField(parameters.field('text').label, 'is empty');
	return text;
}

export const instructionsField = longTextField('Instructions', 'instructions', 2, {
	placeholder: 'e.g. The text is an e-mail of a customer. Amounts are in euros.',
	description:
		'What the model should know beyond that. Keep it the same for all items: the server then reads it only once.',
});
