import { choiceField, toOptions, jsonField, longTextField, integerField } from '../field-builders';
import type { INodeProperties } from 'n8n-workflow';

export const DEFAULT_THINKING_BUDGET = 1024;

/** Fields for thinking. */
export function thinkingFields(): INodeProperties[] {
	return [
		choiceField('Thinking', 'thinking', 'serverDefault', {
			options: [
				{
					name: 'Effort',
					value: 'effort',
					description: 'How much to think, for models that support effort levels (gpt-oss)',
				},
				{
					name: 'Off',
					value: 'off',
					description: 'Respond immediately. gpt-oss always thinks: use a low effort for it.',
				},
				{ name: 'On', value: 'on' },
				{ name: 'Server Default', value: 'serverDefault', description: "Use the server's setting" },
				{
					name: 'Token Budget',
					value: 'budget',
					description: 'Stop thinking after this many tokens',
				},
			],
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
}

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
export function responseFormatFields(): INodeProperties[] {
	return [
		choiceField('Response Format', 'responseFormat', 'text', {
			options: [
				{
					name: 'GBNF Grammar',
					value: 'grammar',
					description: 'The response follows a llama.cpp grammar. Cannot be combined with tools.',
				},
				{
					name: 'JSON Object',
					value: 'jsonObject',
					description: 'Any JSON object. Describe the fields in the prompt.',
				},
				{
					name: 'JSON Schema',
					value: 'jsonSchema',
					description:
						'JSON that follows a schema. With tools, a final response that violates it is requested again.',
				},
				{ name: 'Text', value: 'text' },
			],
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
}
