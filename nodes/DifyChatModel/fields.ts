import type { INodeProperties } from 'n8n-workflow';

import { userField } from '../shared/dify/fields';
import { RUN_OPTIONS } from '../shared/dify/run-options';
import {
	booleanField,
	choiceField,
	choices,
	jsonField,
	noticeField,
	optionsCollection,
	stringField,
} from '../shared/field-kinds';

const notice = noticeField(
	'A Dify app as the model of a chain, or of an AI Agent without tools. An agent that needs tools takes a Local Chat Model, and the app as a tool of it: Dify Chat Message.',
);

const memory = choiceField('Memory', 'memory', 'n8n', {
	options: choices({
		dify: [
			'In Dify',
			'Only the last message is sent, into the latest conversation of the user. For a chat without a memory node.',
		],
		n8n: [
			'In the Workflow',
			'Every call is a new conversation in Dify, with everything that n8n hands over in one message',
		],
	}),
	description: 'Who remembers the conversation',
});

const options: INodeProperties = optionsCollection([
	booleanField('Allow Empty Answers', 'emptyAnswers', true, {
		description: 'Whether an answer may be without text. Without this option, that is an error.',
	}),
	booleanField('Delete Conversations', 'deleteConversations', true, {
		displayOptions: { show: { '/memory': ['n8n'] } },
		description:
			'Whether to delete the conversation in Dify after each call, so that its log stays short',
	}),
	RUN_OPTIONS.firstByteLimit,
	RUN_OPTIONS.idleLimit,
	jsonField('Inputs as JSON', 'inputs', '{}', {
		typeOptions: { rows: 4 },
		placeholder: '{ "language": "English" }',
		description: 'Object with the variables of the app, the same in every call',
	}),
	stringField('Output Field', 'outputField', {
		placeholder: 'e.g. text',
		description:
			'Of a workflow: the output that is the answer. Needed where it has more than one text.',
	}),
	RUN_OPTIONS.progressLimit,
	stringField('Prompt Variable', 'promptVariable', {
		placeholder: 'e.g. query',
		description:
			'Of a workflow or text generator: the variable that takes the prompt. Needed where it has more than one for text.',
	}),
	{
		...RUN_OPTIONS.maxRetries,
		description: 'Tries after a refused connection, or when the app is busy',
	},
	stringField('System Variable', 'systemVariable', {
		placeholder: 'e.g. instructions',
		description:
			'The variable of the app that takes the system message. Without it, the system message stands in front of the question (Memory: In the Workflow), or is not sent (Memory: In Dify).',
	}),
	RUN_OPTIONS.totalLimit,
]);

export const properties: INodeProperties[] = [notice, userField, memory, options];
