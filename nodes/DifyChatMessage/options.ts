import type { INodeProperties } from 'n8n-workflow';

import { fetchFilesFromField } from '../shared/dify/fields';
import {
	onPauseField,
	readRunOptions,
	RUN_OPTIONS,
	RETRY_CONDITION,
} from '../shared/dify/run-options';
import {
	booleanField,
	choiceField,
	toOptions,
	multiChoiceField,
	optionsCollection,
	stringField,
} from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import type { IncludedPart } from './output';

const options: INodeProperties[] = [
	stringField('Response Field', 'answerField', {
		default: 'answer',
		displayOptions: { show: { '/simplify': [true] } },
		description:
			'Name of the field that contains the response. With a Chat Trigger, the item also has "output", which the chat shows.',
	}),
	booleanField('Automatic Conversation Name', 'autoGenerateName', true, {
		description: 'Whether Dify generates a name for a new conversation with a model',
	}),
	RUN_OPTIONS.enableStreaming,
	fetchFilesFromField('files of the response'),
	RUN_OPTIONS.idleTimeout,
	multiChoiceField('Include', 'include', {
		options: toOptions({
			thoughts: ['Agent Thoughts', "The agent's thoughts, the tools it called, and their results"],
			files: ['Files', 'Files of the response as binary fields "file_0", "file_1" and so on'],
			sources: ['Sources', 'The knowledge base chunks that the response is based on'],
			workflow: ['Workflow Nodes', 'The chatflow run with the inputs and outputs of each node'],
		}),
		description: 'What to add to the output item',
	}),
	{
		...RUN_OPTIONS.maxConcurrentItems,
		description:
			'How many items to process at the same time. Messages of the same conversation are still sent one after another, and the output keeps the order of the input. Expressions are evaluated for the first item only.',
	},
	{
		...RUN_OPTIONS.maxRetries,
		description: `How often to resend a message ${RETRY_CONDITION}`,
	},
	RUN_OPTIONS.totalTimeout,
	RUN_OPTIONS.traceId,
	choiceField('When Conversation Is Unavailable', 'onStaleConversation', 'error', {
		options: toOptions({
			error: 'Fail',
			startNew: [
				'Start New Conversation',
				'The output item then includes "conversationRestarted" and the new ID',
			],
		}),
		description:
			'What to do if the conversation was deleted, is closed, or belongs to another user',
	}),
	onPauseField('What to do when a chatflow pauses for human input'),
	{
		...RUN_OPTIONS.workflowId,
		description:
			'ID of a published version of the chatflow. Leave empty to use the latest version.',
	},
];

export const optionsField = optionsCollection(options);

export function readOptions(parameters: NodeParameters) {
	return {
		answerField: parameters.string('options.answerField') || 'answer',
		autoGenerateName: parameters.boolean('options.autoGenerateName', undefined),
		include: parameters.choices<IncludedPart>('options.include'),
		onPause: parameters.choice<'return' | 'error'>('options.onPause', 'return'),
		onStaleConversation: parameters.choice<'error' | 'startNew'>(
			'options.onStaleConversation',
			'error',
		),
		...readRunOptions(parameters),
	};
}
