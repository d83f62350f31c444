import { choiceField, toOptions, jsonField, longTextField, integerField } from '../field-builders';
import type { INodeProperties } from 'n8n-workflow';
import {
	GENERATION_OPTION_ENTRIES,
	type GenerationOption,
} from '../../../lib/chat/generation-options';
import { omitUndefined } from '../../../lib/values';
import { GENERATION_RETRIES, secondsField, priorityField } from '../timeout-fields';

/** Request options of every generation: extra request fields, timeouts and retries. */
export const requestFields: INodeProperties[] = [
	jsonField('Extra Body', 'extraBody', '{}', {
		description:
			'JSON object that is merged into the request, for fields that this node does not offer',
	}),
	secondsField(
		'First Token Timeout (Seconds)',
		'firstTokenTimeout',
		1800,
		'How long to wait for the first token, including queueing, loading the model and processing the prompt. 0 = no limit.',
	),
	secondsField(
		'Idle Timeout (Seconds)',
		'idleTimeout',
		300,
		'How long the response may pause after it has started. 0 = no limit.',
	),
	integerField('Retries', 'maxRetries', GENERATION_RETRIES, [0, 20], {
		description:
			'How often to retry after a refused connection or when the server is busy. A generation that may have started is never sent again. The node waits for a model that is loading until the First Token Timeout.',
	}),
	priorityField,
	secondsField(
		'Total Timeout (Seconds)',
		'totalTimeout',
		0,
		'How long the complete response may take. 0 = no limit.',
	),
];

/** Editor fields of all generation options. */
export const generationOptionFields: INodeProperties[] = GENERATION_OPTION_ENTRIES.map(
	([name, option]) => ({
		displayName: option.label,
		name,
		description: option.description,
		...toInput(option),
	}),
);

function toInput(
	option: GenerationOption,
): Pick<INodeProperties, 'type' | 'default'> & Partial<INodeProperties> {
	switch (option.type) {
		case 'switch':
			return { type: 'boolean', default: true };
		case 'duration':
			return { type: 'string', default: option.defaultValue, placeholder: option.placeholder };
		case 'stringList':
			return {
				type: 'string',
				typeOptions: { multipleValues: true, multipleValueButtonText: option.addButton },
				default: [],
			};
		case 'number': {
			const { choices, range: [minValue, maxValue] = [], isInteger, defaultValue } = option;
			if (choices !== undefined)
				return { type: 'options', options: [...choices], default: defaultValue };
			// Probabilities need one more decimal.
			const decimals = maxValue === 1 ? 3 : 2;
			const numberPrecision = isInteger === true ? 0 : decimals;
			return {
				type: 'number',
				typeOptions: { ...omitUndefined({ minValue, maxValue }), numberPrecision },
				default: defaultValue,
			};
		}
	}
}

export const DEFAULT_THINKING_BUDGET = 1024;

/** Fields for thinking. */
export const thinkingFields: INodeProperties[] = [
	choiceField('Thinking', 'thinking', 'serverDefault', {
		options: toOptions({
			effort: ['Effort', 'How much to think, for models that support effort levels (gpt-oss)'],
			off: ['Off', 'Respond immediately. gpt-oss always thinks: use a low effort for it.'],
			on: 'On',
			serverDefault: ['Server Default', "Use the server's setting"],
			budget: ['Token Budget', 'Stop thinking after this many tokens'],
		}),
		description:
			'Whether a thinking model (Qwen3, gpt-oss, DeepSeek-R1, …) thinks before it responds. The thinking is returned separately.',
	}),
	choiceField('Thinking Effort', 'thinkingEffort', 'medium', {
		options: toOptions({
			high: 'High',
			low: 'Low',
			medium: 'Medium',
			minimal: 'Minimal',
		}),
		displayOptions: { show: { thinking: ['effort'] } },
	}),
	integerField('Thinking Token Budget', 'thinkingBudget', DEFAULT_THINKING_BUDGET, [0], {
		displayOptions: { show: { thinking: ['budget'] } },
		description:
			'Maximum tokens for thinking; 0 ends it immediately. Llama-server only, and only if the chat template of the model has an end tag.',
	}),
];

/**
 * The fields as options, which apply only if they are added.
 *
 * @param unsetText what applies if they are not
 */
export function toOptionFields(
	fields: readonly INodeProperties[],
	defaultValue: string,
	unsetText: string,
): INodeProperties[] {
	const [first, ...dependent] = fields;
	const description = [first!.description, unsetText].filter(Boolean).join(' ');
	return [{ ...first!, default: defaultValue, description }, ...dependent];
}

/** Fields for the response format. */
export const responseFormatFields: INodeProperties[] = [
	choiceField('Response Format', 'responseFormat', 'text', {
		options: toOptions({
			grammar: [
				'GBNF Grammar',
				'The response follows a llama.cpp grammar. Cannot be combined with tools.',
			],
			jsonObject: ['JSON Object', 'Any JSON object. Describe the fields in the prompt.'],
			jsonSchema: [
				'JSON Schema',
				'JSON that follows a schema. With tools, a final response that violates it is requested again.',
			],
			text: 'Text',
		}),
	}),
	jsonField(
		'JSON Schema',
		'jsonSchema',
		'{\n  "type": "object",\n  "properties": {\n    "answer": { "type": "string" }\n  },\n  "required": ["answer"]\n}',
		{
			typeOptions: { rows: 8 },
			displayOptions: { show: { responseFormat: ['jsonSchema'] } },
			description:
				'Parts that the server does not support are removed before sending and listed in the execution log',
		},
	),
	longTextField('Grammar', 'grammar', 6, {
		default: 'root ::= "yes" | "no"',
		displayOptions: { show: { responseFormat: ['grammar'] } },
		description: 'Grammar in the GBNF notation of llama.cpp. The first rule must be named root.',
	}),
];
