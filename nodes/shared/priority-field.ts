import type { INodeProperties } from 'n8n-workflow';

import { choiceField, choices } from './field-kinds';

/** Who is served first when all places of the server are taken. */
export const priorityField: INodeProperties = choiceField('Priority', 'priority', 'auto', {
	options: choices({
		auto: [
			'Automatic',
			'Person for one item of a chat or webhook; batch for schedules and several items',
		],
		batch: ['Batch', 'Lowest priority'],
		person: ['Person', 'Someone waits for the answer: goes first'],
	}),
	description:
		'Who goes first when all places of the server are taken. Nobody waits for more than about a minute without a turn.',
});
