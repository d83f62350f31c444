import type { INodeProperties } from 'n8n-workflow';

import { neededField, optionsField, serviceField, slots, timeLimit } from '../shared/health/check-fields';

const events: INodeProperties = {
	displayName: 'Tell When the Server',
	name: 'events',
	type: 'multiOptions',
	default: ['unhealthy', 'healthy'],
	options: [
		{
			name: 'Becomes Healthy',
			value: 'healthy',
			description: 'With how long it was not',
		},
		{
			name: 'Becomes Unhealthy',
			value: 'unhealthy',
			description: 'With what is wrong and what to do',
		},
		{
			name: 'Has Another Problem',
			value: 'problem',
			description: 'It was unhealthy before, but for another reason: the key is refused now, for example',
		},
	],
};

const confirmations: INodeProperties = {
	displayName: 'Checks in a Row',
	name: 'confirmations',
	type: 'number',
	typeOptions: { minValue: 1, maxValue: 100, numberPrecision: 0 },
	default: 2,
	description:
		'How many checks one after the other must see the new state before it counts. With 1, a restart of a few seconds is told as well. Without this option: 2.',
};

const firstState: INodeProperties = {
	displayName: 'First Check',
	name: 'firstState',
	type: 'options',
	default: 'unhealthy',
	options: [
		{ name: 'Tell Always', value: 'always', description: 'Also that the server is healthy' },
		{ name: 'Tell Never', value: 'never', description: 'Only changes are told' },
		{ name: 'Tell When Unhealthy', value: 'unhealthy', description: 'The default' },
	],
	description: 'What the very first check of this node does, which has no state before it to compare with',
};

export const properties: INodeProperties[] = [
	serviceField,
	events,
	neededField,
	optionsField(slots, confirmations, firstState, timeLimit),
];
