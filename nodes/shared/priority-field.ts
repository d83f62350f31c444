import type { INodeProperties } from 'n8n-workflow';

import { choiceField } from './field-kinds';

/** Who is served first when all places of the server are taken. */
export const priorityField: INodeProperties = choiceField('Priority', 'priority', 'auto', {
	options: [
		{ name: 'Agent', value: 'agent', description: 'After persons, before batches' },
		{
			name: 'Automatic',
			value: 'auto',
			description: 'By how the execution began and how many items the node gets',
		},
		{ name: 'Batch', value: 'batch', description: 'Nobody waits for it: after all others' },
		{ name: 'Person', value: 'person', description: 'Someone waits for the answer: before others' },
	],
	description:
		'Who goes first when all places of the server are taken. Nobody waits for more than about a minute without a turn.',
});
