import type { INodeProperties } from 'n8n-workflow';

import { choicesField, optionsCollection, wholeField } from '../shared/field-kinds';
import { expectationsField, serviceField, timeLimit } from '../shared/health/check-fields';

/** n8n lists the options of a field with this label as the actions of a trigger. */
const events = choicesField('Trigger On', 'events', {
	default: ['unhealthy', 'healthy'],
	options: [
		{
			name: 'Server Becomes Healthy',
			value: 'healthy',
			action: 'When a server becomes healthy',
			description: 'Says how long it was not healthy',
		},
		{
			name: 'Server Becomes Unhealthy',
			value: 'unhealthy',
			action: 'When a server becomes unhealthy',
			description: 'Says what is wrong and what to do',
		},
		{
			name: 'Server Has Another Problem',
			value: 'problem',
			action: 'When an unhealthy server has another problem',
			description: 'It was unhealthy before, for another reason',
		},
	],
});

const confirmations = wholeField('Checks in a Row', 'confirmations', 2, [1, 100], {
	description:
		'How many checks in a row must see a change before it triggers. With 1, a restart of a few seconds triggers, too. Without this option: 2.',
});

export const properties: INodeProperties[] = [
	serviceField,
	events,
	expectationsField,
	optionsCollection([confirmations, timeLimit]),
];
