import type { INodeProperties } from 'n8n-workflow';

import { choiceField, choices } from './field-kinds';

/** Who is served first when all places of the server are taken. */
export const priorityField: INodeProperties = choiceField('Priority', 'priority', 'auto', {
	options: choices({
		auto: ['Automatic', 'By how the execution began and how many items the node gets'],
		batch: ['Batch', 'Nobody waits for it: after persons'],
		person: ['Person', 'Someone waits for the answer: before batches'],
	}),
	description:
		'Who goes first when all places of the server are taken. Nobody waits for more than about a minute without a turn.',
});
