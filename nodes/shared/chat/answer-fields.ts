import { choiceField, choices, jsonField, longTextField, wholeField } from '../field-kinds';
import type { INodeProperties } from 'n8n-workflow';

/** Fields for thinking. */
export function thinkingFields(): INodeProperties[] {
	return [
		choiceField('Thinking', 'thinking', 'serverDefault', {
			options: [
				{
					name: 'Effort',
					value: 'effort',
					description: 'How much to think, for models that know levels (gpt-oss)',
				},
				{
					name: 'Off',
					value: 'off',
					description: 'Answer at once. Gpt-oss always thinks: use a low effort there.',
				},
				{ name: 'On', value: 'on' },
				{ name: 'Server Default', value: 'serverDefault', description: 'Leave it to the server' },
				{
					name: 'Token Budget',
					value: 'budget',
					description: 'End the thinking after this many tokens',
				},
			],
			description:
				'Whether a thinking model (Qwen3, gpt-oss, DeepSeek-R1, …) thinks before it answers. Thinking is kept apart from the answer.',
		}),
		choiceField('Effort', 'thinkingEffort', 'medium', {
			options: choices({
				high: 'High',
				low: 'Low',
				medium: 'Medium',
				minimal: 'Minimal',
			}),
			displayOptions: { show: { thinking: ['effort'] } },
		}),
		wholeField('Thinking Token Budget', 'thinkingBudget', 1024, [0], {
			displayOptions: { show: { thinking: ['budget'] } },
			description:
				'How many tokens to think at most; 0 ends it at once. Llama-server only, and only where the template of the model has an end tag.',
		}),
	];
}

/** Fields for the response format. */
export function responseFormatFields(): INodeProperties[] {
	return [
		choiceField('Response Format', 'responseFormat', 'text', {
			options: [
				{
					name: 'GBNF Grammar',
					value: 'grammar',
					description:
						'The answer follows a grammar of llama.cpp. Cannot be used together with tools.',
				},
				{
					name: 'JSON Object',
					value: 'jsonObject',
					description: 'Any JSON object. Say in the prompt which fields you want.',
				},
				{
					name: 'JSON Schema',
					value: 'jsonSchema',
					description:
						'JSON that follows a schema. With tools, a final answer that breaks it is asked for again.',
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
					'What the server would refuse is left out before sending and named in the execution log',
			},
		),
		longTextField('Grammar', 'grammar', 6, {
			default: 'root ::= "yes" | "no"',
			displayOptions: { show: { responseFormat: ['grammar'] } },
			description: 'Grammar in the GBNF notation of llama.cpp. The first rule is called root.',
		}),
	];
}
