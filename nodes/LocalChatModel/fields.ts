/** The fields of Local Chat Model. */
import type { INodeProperties } from 'n8n-workflow';
import { generationOptionFields } from '../shared/chat/generation-options';
import { requestOptionFields } from '../shared/chat/request-options';
import { thinkingFields } from '../shared/chat/thinking';
import { responseFormatFields } from '../shared/chat/response-format';
import {
	noticeField,
	booleanField,
	choiceField,
	optionsCollection,
	integerField,
	stringField,
	collectionField,
} from '../shared/field-builders';
import { modelField } from '../shared/model-selection';

export const traceFields: INodeProperties[] = [
	booleanField(
		'Record Content',
		'recordTexts',
		false,
		'Whether traces contain the conversation and the response. Everyone with access to the traces can read them.',
	),
	stringField('Session ID', 'sessionId', {
		placeholder: 'e.g. {{ $json.sessionId }}',
		description: 'Shared by all traces of a conversation',
	}),
	stringField('Tags', 'tags', {
		placeholder: 'e.g. support, production',
		description: 'Comma-separated',
	}),
	stringField('User ID', 'userId', 'The user who asks'),
];

/** Options for n8n's traces. */
const traceField: INodeProperties = collectionField('Trace', 'trace', 'Field', {
	options: traceFields,
	description:
		'What traces contain in addition to the request and its response, if n8n exports traces',
});

/** Options that the node itself implements. */
const ownFields: INodeProperties[] = [
	choiceField(
		'Thinking: Include in History',
		'thinkingHistory',
		'toolTurns',
		{
			always: ['Always', 'For every earlier message that contains thinking'],
			toolTurns: [
				'During Tool Calls',
				'While the model calls tools for one question, as models expect',
			],
			never: 'Never',
		},
		'Whether the model receives its earlier thinking with the tool results',
	),
	booleanField(
		'Thinking: Show in Response',
		'showThinking',
		false,
		'Whether to put the thinking before the response in think tags. The execution log always contains it.',
	),
	integerField(
		'History Budget',
		'historyBudget',
		0,
		[0],
		'Maximum tokens for earlier turns of the conversation. When exceeded, old tool results are shortened, then the oldest turns are removed as a whole, a quarter of the budget at a time, so that the server can reuse its prompt cache. The system prompt and the current turn are always kept. 0 = send everything.',
	),
	integerField(
		'Token Budget',
		'tokenBudget',
		0,
		[0],
		'Maximum tokens that all models of one execution may read and generate in total. When used up, the next request fails before it is sent. 0 = no limit.',
	),
	choiceField(
		'Tools: Calls in Text',
		'toolCallsInText',
		'read',
		{
			leave: ['Leave', 'Keep the markup in the response and call no tool'],
			read: ['Read', 'Convert a complete call to a connected tool into a tool call'],
		},
		'What to do with a tool call that the server returns as text because it lacks the parser or chat template for the model',
	),
	integerField(
		'Tools: Max Offered',
		'maxTools',
		10,
		[0],
		'Maximum number of connected tools to offer to the model, selected by how well their names and descriptions match the questions. Tools already called are kept. 0 = all tools.',
	),
];

export const optionsField: INodeProperties = {
	...optionsCollection([
		...generationOptionFields,
		...requestOptionFields,
		...ownFields,
		traceField,
	]),
	description: 'Options that you do not add are not sent: the server settings apply',
};

/** n8n's own notice of its models, which it hides if users do not connect nodes themselves. */
const connectionNotice: INodeProperties = {
	...noticeField(
		"Connect this node to an AI agent or chain. <a data-action='openSelectiveNodeCreator' data-action-parameter-connectiontype='ai_languageModel'>Insert one</a>",
	),
	typeOptions: { containerClass: 'ndv-connection-hint-notice' },
};

export const properties: INodeProperties[] = [
	connectionNotice,
	modelField(
		'The model that generates the response. A llama-server started with a single model uses that model, whatever you select here',
	),
	...thinkingFields,
	...responseFormatFields,
	optionsField,
];
