import type { INodeProperties } from 'n8n-workflow';

import { fetchFilesFromField } from '../shared/dify/fields';
import {
	onPauseField,
	readRunOptions,
	RUN_OPTIONS,
	WHERE_NOTHING_BEGAN,
} from '../shared/dify/run-options';
import {
	booleanField,
	choiceField,
	choices,
	choicesField,
	optionsCollection,
	stringField,
} from '../shared/field-kinds';
import type { NodeParameters } from '../shared/parameters';
import type { Extra } from './output';

const options: INodeProperties[] = [
	stringField('Answer Field', 'answerField', {
		default: 'answer',
		displayOptions: { show: { '/simplify': [true] } },
		description:
			'Name of the field with the answer. Behind a Chat Trigger the item also has "output", which the chat shows.',
	}),
	booleanField('Automatic Conversation Name', 'autoGenerateName', true, {
		description: 'Whether Dify lets a model think of a name for a new conversation',
	}),
	RUN_OPTIONS.enableStreaming,
	fetchFilesFromField('files of the answer'),
	RUN_OPTIONS.idleLimit,
	choicesField('Include', 'include', {
		options: choices({
			thoughts: [
				'Agent Thoughts',
				'What an agent thought, the tools it called, and what they returned',
			],
			files: ['Files', 'Files of the answer as binary fields "file_0", "file_1" and so on'],
			reasoning: ['Reasoning', 'What a reasoning model thought, where Dify passes it on'],
			workflow: [
				'Workflow Nodes',
				'The run of a chatflow with each of its nodes, their inputs and outputs',
			],
		}),
		description: 'What to add to the item',
	}),
	{
		...RUN_OPTIONS.itemsAtOnce,
		description:
			'How many items are sent at the same time. Messages of the same conversation still go one after another, and the order of the output stays that of the input. An expression is evaluated for the first item only.',
	},
	{
		...RUN_OPTIONS.maxRetries,
		description: `How often to send a message again ${WHERE_NOTHING_BEGAN}`,
	},
	RUN_OPTIONS.totalLimit,
	RUN_OPTIONS.traceId,
	choiceField('When Conversation Is Gone', 'onStaleConversation', 'error', {
		options: choices({
			error: 'Fail',
			startNew: ['Start a New One', 'The item then has "conversationRestarted", and the new ID'],
		}),
		description:
			'What to do when the conversation was deleted, is closed, or belongs to another user',
	}),
	onPauseField('What to do when a chatflow stops to ask a person'),
	{
		...RUN_OPTIONS.workflowId,
		description: 'A published version of a chatflow. Leave empty for the latest one.',
	},
];

export const optionsField = optionsCollection(options);

/** Reads the options of an item's message. */
export function readOptions(parameters: NodeParameters) {
	return {
		answerField: parameters.name('options.answerField') || 'answer',
		autoGenerateName: parameters.flag('options.autoGenerateName', undefined),
		include: parameters.choices<Extra>('options.include'),
		onPause: parameters.choice<'return' | 'error'>('options.onPause', 'return'),
		onStaleConversation: parameters.choice<'error' | 'startNew'>(
			'options.onStaleConversation',
			'error',
		),
		...readRunOptions(parameters),
	};
}
