import type { INodeProperties } from 'n8n-workflow';

import { responseFormatFields, thinkingFields } from '../shared/chat/answer-fields';
import { choiceField, choices, noticeField } from '../shared/field-kinds';
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
		options: choices({
			auto: ['Automatic', 'Asks the server who it is where that matters'],
			llamaServer: 'Llama-Server (llama.cpp)',
			ollama: 'Ollama',
			other: [
				'Other (OpenAI-Compatible)',
				'GPUStack, LM Studio, FastAPI servers: standard fields, plus what you set',
			],
			vllm: 'vLLM',
		}),
		description: 'Decides which fields beyond the OpenAI standard may be sent',
	}),
];

/** n8n's own notice of its models, which it hides in places where nothing is connected by hand. */
const connectionNotice: INodeProperties = {
	...noticeField(
		"This node must be connected to an AI agent or chain. <a data-action='openSelectiveNodeCreator' data-action-parameter-connectiontype='ai_languageModel'>Insert one</a>",
	),
	typeOptions: { containerClass: 'ndv-connection-hint-notice' },
};

export const properties: INodeProperties[] = [
	connectionNotice,
	...modelFields,
	...thinkingFields(shownWhere(({ chat }) => chat.thinking.hasBudget === true, '')),
	...responseFormatFields(shownWhere(({ chat }) => chat.grammar !== undefined, '')),
	...optionFields,
];
