import type { INodeProperties } from 'n8n-workflow';

import { responseFormatFields, thinkingFields } from '../shared/chat/answer-fields';
import { choiceField } from '../shared/field-kinds';
import { modelField } from '../shared/model-field';
import { optionFields } from './options';
import { shownWhere } from './server-types';

const modelFields: INodeProperties[] = [
	modelField(
		{
			description:
				'The model that answers. A llama-server started with one model answers with that one, whatever is chosen here.',
		},
		{ mayBeEmpty: true },
	),
	choiceField('Server Type', 'serverType', 'auto', {
		options: [
			{
				name: 'Automatic',
				value: 'auto',
				description: 'Asks the server who it is where that matters',
			},
			{ name: 'Llama-Server (llama.cpp)', value: 'llamaServer' },
			{ name: 'Ollama', value: 'ollama' },
			{
				name: 'Other (OpenAI-Compatible)',
				value: 'other',
				description: 'GPUStack, LM Studio, FastAPI servers: standard fields, plus what you set',
			},
			{ name: 'vLLM', value: 'vllm' },
		],
		description: 'Decides which fields beyond the OpenAI standard may be sent',
	}),
];

export const properties: INodeProperties[] = [
	...modelFields,
	...thinkingFields(shownWhere(({ chat }) => chat.thinking.hasBudget === true, '')),
	...responseFormatFields(shownWhere(({ chat }) => chat.grammar !== undefined, '')),
	...optionFields,
];
