import type { INodeProperties } from 'n8n-workflow';

import { samplerFields } from './sampler-fields';
import { shownWhere } from './server-types';

function seconds(displayName: string, name: string, value: number, description: string): INodeProperties {
	return { displayName, name, type: 'number', typeOptions: { minValue: 0 }, default: value, description };
}

/** Options that the node itself acts on. */
const ownFields: INodeProperties[] = [
	{
		displayName: 'Extra Body',
		name: 'extraBody',
		type: 'json',
		default: '{}',
		description: 'JSON object that is merged into the request last, for fields this node does not offer',
	},
	seconds(
		'First Token Limit (Seconds)',
		'firstTokenLimit',
		1800,
		'How long to wait for the first token, including the queue, loading the model and reading the prompt. 0 = no limit.',
	),
	seconds('Idle Limit (Seconds)', 'idleLimit', 300, 'How long the answer may pause once it has begun. 0 = no limit.'),
	{
		displayName: 'Retries',
		name: 'maxRetries',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: 20, numberPrecision: 0 },
		default: 2,
		description:
			'Tries after a refused connection or a server that is too busy. A generation that may have started is never sent again; a model that is loading is waited for within the First Token Limit.',
	},
	{
		displayName: 'Send Thinking Back',
		name: 'reasoningEcho',
		type: 'options',
		default: 'toolTurns',
		options: [
			{ name: 'Always', value: 'always', description: 'With every message of the conversation that has it' },
			{
				name: 'In Tool Turns',
				value: 'toolTurns',
				description: 'While the model calls tools for one question. Models expect that.',
			},
			{ name: 'Never', value: 'off' },
		],
		description: 'Whether the model gets its own thinking back with the results of its tools',
	},
	{
		displayName: 'Show Thinking in Answer',
		name: 'showThinking',
		type: 'boolean',
		default: false,
		description:
			'Whether the thinking is put in front of the answer between think tags. It is in the execution log in any case.',
	},
	{
		displayName: 'Tool Choice',
		name: 'toolChoice',
		type: 'options',
		default: 'auto',
		options: [
			{ name: 'Automatic', value: 'auto', description: 'The model decides' },
			{ name: 'None', value: 'none', description: 'The model sees the tools but does not call them' },
			{
				name: 'Required',
				value: 'required',
				description: 'The model must call a tool first; once one has answered, it decides',
			},
		],
		displayOptions: shownWhere(({ toolChoice }) => toolChoice !== 'ignored'),
		description: 'Whether tools may or must be called. A choice that the agent makes itself comes first.',
	},
	{
		displayName: 'Tool Calls in Text',
		name: 'toolCallsInText',
		type: 'options',
		default: 'read',
		options: [
			{ name: 'Leave', value: 'leave', description: 'The markup stays in the answer, and no tool is called' },
			{ name: 'Read', value: 'read', description: 'A complete call of a connected tool is made a call' },
		],
		description:
			'What happens to a tool call that the server hands on as text because it lacks the parser or the chat template for the model',
	},
	seconds('Total Limit (Seconds)', 'totalLimit', 0, 'How long the whole answer may take. 0 = no limit.'),
];

export const optionsField: INodeProperties = {
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add Option',
	default: {},
	description: 'An option that is not added is not sent, so the settings of the server count',
	options: [...samplerFields, ...ownFields].sort((one, other) => one.displayName.localeCompare(other.displayName)),
};
