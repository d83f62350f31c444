import type { INodeProperties } from 'n8n-workflow';

import {
	choiceField,
	choices,
	choicesField,
	optionsCollection,
	wholeField,
} from '../shared/field-kinds';
import { expectationsField, serviceField, slots, timeLimit } from '../shared/health/check-fields';

const events = choicesField('Tell When the Server', 'events', {
	default: ['unhealthy', 'healthy'],
	options: choices({
		healthy: ['Becomes Healthy', 'Says how long it was not healthy'],
		unhealthy: ['Becomes Unhealthy', 'Says what is wrong and what to do'],
		problem: [
			'Has Another Problem',
			'It was unhealthy before, but for another reason: the key is refused now, for example',
		],
	}),
});

const confirmations = wholeField('Checks in a Row', 'confirmations', 2, [1, 100], {
	description:
		'How many checks must see the new state before it counts. Healthy checks in between undo it only when there are as many in a row. With 1, a restart of a few seconds is told as well. Without this option: 2.',
});

const firstState = choiceField('First Check', 'firstState', 'unhealthy', {
	options: choices({
		always: ['Tell Always', 'Also that the server is healthy'],
		never: ['Tell Never', 'Only changes are told'],
		unhealthy: ['Tell When Unhealthy', 'The default'],
	}),
	description:
		'What the very first check of this node does, which has no state before it to compare with',
});

export const properties: INodeProperties[] = [
	serviceField,
	events,
	expectationsField,
	optionsCollection([slots, confirmations, firstState, timeLimit]),
];
