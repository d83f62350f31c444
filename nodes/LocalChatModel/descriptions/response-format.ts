import type { INodeProperties } from 'n8n-workflow';

export const responseFormatFields: INodeProperties[] = [
	{
		displayName: 'Response Format',
		name: 'responseFormat',
		type: 'options',
		default: 'text',
		options: [
			{
				name: 'GBNF Grammar',
				value: 'grammar',
				description: 'The answer follows a grammar of llama.cpp. Cannot be used together with tools.',
				displayOptions: { show: { serverType: ['auto', 'llamaServer', 'vllm', 'other'] } },
			},
			{
				name: 'JSON Object',
				value: 'jsonObject',
				description: 'Any JSON object. Say in the prompt which fields you want.',
			},
			{ name: 'JSON Schema', value: 'jsonSchema', description: 'JSON after a schema. Tools cannot be called then.' },
			{ name: 'Text', value: 'text' },
		],
	},
	{
		displayName: 'JSON Schema',
		name: 'jsonSchema',
		type: 'json',
		typeOptions: { rows: 8 },
		default:
			'{\n  "type": "object",\n  "properties": {\n    "answer": { "type": "string" }\n  },\n  "required": ["answer"]\n}',
		displayOptions: { show: { responseFormat: ['jsonSchema'] } },
		description: 'What the server cannot enforce is left out before sending and named in the execution log',
	},
	{
		displayName: 'Grammar',
		name: 'grammar',
		type: 'string',
		typeOptions: { rows: 6 },
		default: 'root ::= "yes" | "no"',
		displayOptions: { show: { responseFormat: ['grammar'] } },
		description: 'Grammar in the GBNF notation of llama.cpp. The first rule is called root.',
	},
];
