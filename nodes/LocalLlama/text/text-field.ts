import { longTextField } from '../../shared/field-kinds';

export const textField = longTextField('Text', 'text', 4, {
	placeholder: 'e.g. {{ $json.text }}',
	description: 'It may be empty where the item has a picture or sound',
});

export const instructionsField = longTextField('Instructions', 'instructions', 2, {
	placeholder: 'e.g. The text is an e-mail of a customer. Amounts are in euros.',
	description:
		'What the model should know beyond that. Keep it the same for all items: the server then reads it only once.',
});
