import type { INodeProperties } from 'n8n-workflow';

import { multiChoiceField, optionsCollection, integerField } from '../shared/field-builders';
import { expectationsField, serviceField, timeoutField } from '../shared/health/check-fields';

/** n8n lists the options of a field with this label as the actions of a trigger. */
const events = multiChoiceField('Trigger On', 'events', {
	default: ['unhealthy', 'healthy'],
	options: [
		{
			name: 'Server Becomes Healthy',
			value: 'healthy',
			action: 'When a server becomes healthy',
			description: 'Reports how long the server was unhealthy',
		},
		{
			name: 'Server Becomes Unhealthy',
			value: 'unhealthy',
			action: 'When a server becomes unhealthy',
			description: 'Reports the problem and how to fix it',
		},
		{
			name: 'Server Has a New Problem',
			value: 'problem',
			action: 'When an unhealthy server has a new problem',
			description: 'The server was already unhealthy, for another reason',
		},
	],
});

const confirmations = integerField('Consecutive Checks', 'confirmations', 2, [1, 100], {
	description:
		'How many consecutive checks must see a change before it triggers. With 1, a short restart triggers, too. 2 if not set.',
});

export const properties: INodeProperties[] = [
	serviceField,
	events,
	expectationsField,
	optionsCollection([confirmations, timeoutField]),
];
