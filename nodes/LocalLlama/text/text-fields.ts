/** Fields of several operations that generate text. */
import { generationOptionFields } from '../../shared/chat/generation-options';
import { requestOptionFields } from '../../shared/chat/request-options';
import { DEFAULT_THINKING_BUDGET, thinkingFields } from '../../shared/chat/thinking';
import { toOptionFields } from '../../shared/chat/optional-fields';
import { longTextField, streamingField } from '../../shared/field-builders';
import { agentField } from '../agent-field';
import type { INodeProperties } from 'n8n-workflow';

const SHORT_TEXT_OPTIONS = ['contextSize', 'keepAlive', 'maxTokens', 'temperature'];

const TEXT_OPTIONS = [...SHORT_TEXT_OPTIONS, 'repeatPenalty', 'seed', 'stop', 'topK', 'topP'];

function selectOptions(names: string[]) {
	return generationOptionFields.filter(({ name }) => names.includes(name));
}

/** Options of operations with a short, most likely response. Extra Body accepts all others. */
export const shortTextOptions: INodeProperties[] = [
	...selectOptions(SHORT_TEXT_OPTIONS),
	...requestOptionFields,
];

/** Options of operations that generate text. */
export const textOptions: INodeProperties[] = [
	...selectOptions(TEXT_OPTIONS),
	...requestOptionFields,
	streamingField,
];

const OTHER_VALUES = `For an effort other than medium, or a budget other than ${DEFAULT_THINKING_BUDGET}, also add the option "Thinking Effort" or "Thinking Token Budget".`;

export const thinkingOptions: INodeProperties[] = toOptionFields(
	thinkingFields,
	'off',
	`If not set, the server's setting applies. ${OTHER_VALUES}`,
);

/** Off if not set, since thinking takes most of the time of such an operation. */
export const quickThinkingOptions: INodeProperties[] = toOptionFields(
	thinkingFields,
	'on',
	`Off if not set. ${OTHER_VALUES}`,
);

export const textFields: INodeProperties[] = agentField(
	longTextField('Text', 'text', 4, {
		default: '={{ $json.text }}',
		description: 'May be empty if the item has an image or audio',
	}),
	{ name: 'text', description: 'The complete text to process' },
);

/** Option for context. */
export const instructionsField: INodeProperties = longTextField('Instructions', 'instructions', 2, {
	placeholder: 'e.g. The text is a customer email. Amounts are in euros.',
	description:
		'Additional context for the model. Keep it the same for all items, so that the server can reuse its prompt cache.',
});
