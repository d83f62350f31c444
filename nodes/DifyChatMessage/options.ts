import type { INodeProperties } from 'n8n-workflow';

import { traceIdOf } from '../../lib/dify/ids';
import { DEFAULT_RUN_LIMITS, type RunLimits } from '../../lib/dify/run-limits';
import type { NodeParameters } from '../shared/parameters';
import type { Extra } from './output';

function seconds(displayName: string, name: string, value: number, description: string): INodeProperties {
	return { displayName, name, type: 'number', typeOptions: { minValue: 0 }, default: value, description };
}

export const simplifyField: INodeProperties = {
	displayName: 'Simplify',
	name: 'simplify',
	type: 'boolean',
	default: true,
	description: 'Whether to return a simplified version of the response instead of the raw data',
};

export const optionsField: INodeProperties = {
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add Option',
	default: {},
	options: [
		{
			displayName: 'Answer Field',
			name: 'answerField',
			type: 'string',
			default: 'answer',
			displayOptions: { show: { '/simplify': [true] } },
			description:
				'Name of the field with the answer. A Chat Trigger that does not stream shows the field "output" of the last node.',
		},
		{
			displayName: 'Automatic Conversation Name',
			name: 'autoGenerateName',
			type: 'boolean',
			default: true,
			description:
				'Whether Dify lets a model think of a name for a new conversation. In Dify 1.12 this delays the first words of the first answer by about a second.',
		},
		{
			displayName: 'Enable Streaming',
			name: 'enableStreaming',
			type: 'boolean',
			default: true,
			description:
				'Whether the answer is typed into the chat of n8n word by word, where the Chat Trigger or Webhook responds with streaming. The items are then answered one after another. An expression is evaluated for the first item only.',
		},
		seconds(
			'First Byte Limit (Seconds)',
			'firstByteLimit',
			120,
			'How long to wait until Dify answers at all. 0 = no limit.',
		),
		seconds(
			'Idle Limit (Seconds)',
			'idleLimit',
			60,
			'Longest silence. Dify sends a ping every 10 seconds, which counts. 0 = no limit.',
		),
		{
			displayName: 'Include',
			name: 'include',
			type: 'multiOptions',
			options: [
				{
					name: 'Agent Thoughts',
					value: 'thoughts',
					description: 'What an agent thought, the tools it called, and what they returned',
				},
				{
					name: 'Audio',
					value: 'audio',
					description:
						'The spoken answer as binary property "audio", where the app speaks by itself. Takes up to 5 seconds longer.',
				},
				{ name: 'Raw Events', value: 'events', description: 'Every event of the stream, as Dify sent it' },
				{
					name: 'Reasoning',
					value: 'reasoning',
					description: 'What a reasoning model thought, where Dify passes it on',
				},
				{
					name: 'Workflow Nodes',
					value: 'workflow',
					description: 'The run of a chatflow with each of its nodes, their inputs and outputs',
				},
			],
			default: [],
			description: 'What to add to the item',
		},
		{
			displayName: 'Items at Once',
			name: 'itemsAtOnce',
			type: 'number',
			typeOptions: { minValue: 1, maxValue: 64, numberPrecision: 0 },
			default: 1,
			description:
				'How many items are sent at the same time. Messages of the same conversation still go one after another, and the order of the output stays that of the input. An expression is evaluated for the first item only.',
		},
		seconds(
			'Progress Limit (Seconds)',
			'progressLimit',
			600,
			'Longest time in which Dify sends nothing but pings. Long prompts and slow tools need time. 0 = no limit.',
		),
		{
			displayName: 'Retries',
			name: 'maxRetries',
			type: 'number',
			typeOptions: { minValue: 0, maxValue: 10, numberPrecision: 0 },
			default: 2,
			description:
				'How often to send a message again that Dify did not accept: a refused connection, or too many requests at once. A run that may have begun is never sent again.',
		},
		seconds(
			'Total Limit (Seconds)',
			'totalLimit',
			0,
			'How long a run may take. When it runs out, Dify is told to stop. Dify itself stops after 20 minutes unless it was set up otherwise. 0 = no limit.',
		),
		{
			displayName: 'Trace ID',
			name: 'traceId',
			type: 'string',
			default: '',
			description:
				'ID by which the tracing that is connected to Dify finds this run: up to 128 letters, digits, hyphens and underscores',
		},
		{
			displayName: 'When Conversation Is Gone',
			name: 'onStaleConversation',
			type: 'options',
			options: [
				{ name: 'Fail', value: 'error' },
				{
					name: 'Start a New One',
					value: 'startNew',
					description: 'The item then has "conversationRestarted", and the new ID',
				},
			],
			default: 'error',
			description: 'What to do when the conversation was deleted, is closed, or belongs to another user',
		},
		{
			displayName: 'When Workflow Pauses',
			name: 'onPause',
			type: 'options',
			options: [
				{ name: 'Fail', value: 'error' },
				{
					name: 'Return What There Is',
					value: 'return',
					description: 'The item then has the status "paused", and the forms that wait for a person',
				},
			],
			default: 'return',
			description: 'What to do when a chatflow stops to ask a person',
		},
		{
			displayName: 'Workflow ID',
			name: 'workflowId',
			type: 'string',
			default: '',
			description: 'A published version of a chatflow. Leave empty for the latest one.',
		},
	],
};

/** How the items are worked on. Of the first item, since it counts for all. */
export function readWork(parameters: NodeParameters): { streaming: boolean; itemsAtOnce: number } {
	return {
		streaming: parameters.flag('options.enableStreaming', true),
		itemsAtOnce: parameters.number('options.itemsAtOnce', 1),
	};
}

/** The options that belong to the message of an item. */
export function readOptions(parameters: NodeParameters) {
	return {
		answerField: parameters.name('options.answerField') || 'answer',
		autoGenerateName: parameters.flag('options.autoGenerateName', undefined),
		include: parameters.choices<Extra>('options.include'),
		limits: limitsIn(parameters),
		maxRetries: parameters.number('options.maxRetries', 2),
		onPause: parameters.choice<'return' | 'error'>('options.onPause', 'return'),
		onStaleConversation: parameters.choice<'error' | 'startNew'>('options.onStaleConversation', 'error'),
		traceId: traceIdOf(parameters.value('options.traceId')),
		workflowId: parameters.name('options.workflowId') || undefined,
	};
}

function limitsIn(parameters: NodeParameters): RunLimits {
	const { firstByteMs, idleMs, progressMs, totalMs } = DEFAULT_RUN_LIMITS;
	return {
		...DEFAULT_RUN_LIMITS,
		firstByteMs: parameters.milliseconds('options.firstByteLimit', firstByteMs),
		idleMs: parameters.milliseconds('options.idleLimit', idleMs),
		progressMs: parameters.milliseconds('options.progressLimit', progressMs),
		totalMs: parameters.milliseconds('options.totalLimit', totalMs),
	};
}
