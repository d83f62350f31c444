import { longTextField } from '../../shared/field-builders';

export const textField = longTextField('Text', 'text', 4, {
	placeholder: 'e.g. {{ $json.text }}',
	description: 'May be empty if the item has an image or audio',
});

/** Option for context. */
export const instructionsField = longTextField('Instructions', 'instructions', 2, {
	placeholder: 'e.g. The text is a customer email. Amounts are in euros.',
	description:
		'Additional context for the model. Keep it the same for all items, so that the server can reuse its prompt cache.',
});
