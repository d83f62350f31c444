import type { INodeProperties } from 'n8n-workflow';

import { responseFormatFields, thinkingFields } from '../shared/chat/answer-fields';
import { noticeField } from '../shared/field-builders';
import { modelField } from '../shared/model-field';
import { optionsField } from './options';

/** n8n's own notice of its models, which it hides if users do not connect nodes themselves. */
const connectionNotice: INodeProperties = {
	...noticeField(
		"This node must be connected to an AI agent or chain. <a data-action='openSelectiveNodeCreator' data-action-parameter-connectiontype='ai_languageModel'>Insert one</a>",
	),
	typeOptions: { containerClass: 'ndv-connection-hint-notice' },
};

export const properties: INodeProperties[] = [
	connectionNotice,
	modelField(
		'The model that generates the response. A llama-server started with a single model uses that model, whatever you select here',
	),
	...thinkingFields(),
	...responseFormatFields(),
	optionsField,
];
