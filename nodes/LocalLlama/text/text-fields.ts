/** Fields of several operations that generate text. */
import { GENERATION_OPTIONS } from '../../../lib/chat/body/generation-options';
import { DEFAULT_THINKING_BUDGET, THINKING_FIELDS } from '../../../lib/chat/body/thinking-fields';
import type { FieldTable, TextField } from '../../../lib/fields/field';
import { generationRequestOptions } from '../../shared/fields/request-options';
import { streamingField } from '../../shared/items/concurrency';

const { contextSize, keepAlive, maxTokens, temperature, ...otherOptions } = GENERATION_OPTIONS;
const { repeatPenalty, seed, stop, topK, topP } = otherOptions;

/** Options of operations with a short, most likely response. Extra Body accepts all others. */
export const shortTextOptions = {
	contextSize,
	keepAlive,
	maxTokens,
	temperature,
	...generationRequestOptions,
} as const satisfies FieldTable;

/** Options of operations that generate text. */
export const textOptions = {
	...shortTextOptions,
	repeatPenalty,
	seed,
	stop,
	topK,
	topP,
	enableStreaming: streamingField,
} as const satisfies FieldTable;

const { thinking, thinkingEffort, thinkingBudget } = THINKING_FIELDS;

const OTHER_VALUES = `For an effort other than medium, or a budget other than ${DEFAULT_THINKING_BUDGET}, also add the option "${thinkingEffort.label}" or "${thinkingBudget.label}".`;

/** Thinking as an option. */
export const thinkingOptions = {
	...THINKING_FIELDS,
	thinking: {
		...thinking,
		default: 'off',
		description: `${thinking.description} If not set, the server's setting applies. ${OTHER_VALUES}`,
	},
} as const satisfies FieldTable;

/** Off if not set, since thinking takes most of the time of such an operation. */
export const quickThinkingOptions = {
	...THINKING_FIELDS,
	thinking: {
		...thinking,
		default: 'on',
		description: `${thinking.description} Off if not set. ${OTHER_VALUES}`,
	},
} as const satisfies FieldTable;

/** The text that an operation is about. */
export const textField = {
	kind: 'text',
	label: 'Text',
	rows: 4,
	default: '={{ $json.text }}',
	description: 'May be empty if the item has an image or audio',
	agent: { name: 'text', description: 'The complete text to process' },
} as const satisfies TextField;

/** Option for context. */
export const instructionsField = {
	kind: 'text',
	label: 'Instructions',
	rows: 2,
	placeholder: 'e.g. The text is a customer email. Amounts are in euros.',
	description:
		'Additional context for the model. Keep it the same for all items, so that the server can reuse its prompt cache.',
} as const satisfies TextField;
