/** Fields and polls of Server Health Trigger. */
import type {
	IDataObject,
	INodeExecutionData,
	IPollFunctions,
	INodeProperties,
} from 'n8n-workflow';
import { toNodeError } from '../../lib/errors/node-error';
import { checkServer } from '../../lib/health/check';
import type { HealthChange, WatchOptions } from '../../lib/health/watch';
import { parseWatchState, toCurrentState, updateWatchState } from '../../lib/health/watch';
import {
	readCheckOptions,
	expectationsField,
	serviceField,
	timeoutField,
} from '../shared/health/check-fields';
import { createCheckTarget } from '../shared/health/target';
import { toPollError } from '../shared/run/shown-error';
import { NodeParameters } from '../shared/parameters';
import { multiChoiceField, optionsCollection, integerField } from '../shared/field-builders';

/** n8n lists the options of a field with this label as the actions of a trigger. */
const events = multiChoiceField(
	'Trigger On',
	'events',
	[
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
	{ default: ['unhealthy', 'healthy'], required: true },
);

const confirmations = integerField(
	'Consecutive Checks',
	'confirmations',
	2,
	[1, 100],
	'How many consecutive checks must see a change before it triggers. With 1, a short restart triggers, too. 2 if not set.',
);

export const properties: INodeProperties[] = [
	serviceField,
	events,
	expectationsField,
	optionsCollection([confirmations, timeoutField]),
];

/**
 * Runs one check, and starts the workflow once per change. n8n persists the stored state, so a change while n8n was down
 * is reported after its next start.
 *
 * @returns one item with the change; null if there is none
 */
export async function pollServerHealth(
	context: IPollFunctions,
): Promise<INodeExecutionData[][] | null> {
	try {
		const parameters = NodeParameters.ofPoll(context, properties);
		const watched = readWatched(parameters);
		const target = await createCheckTarget(context, parameters.choice('service'), 0);
		const result = await checkServer(target, readCheckOptions(parameters));
		if (context.getMode() === 'manual') return toItems(toCurrentState(result));
		const stored = context.getWorkflowStaticData('node');
		const { memory, change } = updateWatchState(parseWatchState(stored), result, watched);
		Object.assign(stored, { state: memory.state, candidate: memory.candidate });
		return change === undefined ? null : toItems(change);
	} catch (error) {
		throw toPollError(toNodeError(context.getNode(), error));
	}
}

/**
 * Which changes start the workflow. Read at each poll, so that a test shows what is wrong with them.
 *
 * @throws {ServerError} if none is selected: the workflow would never start
 */
function readWatched(parameters: NodeParameters): WatchOptions {
	const selected = parameters.choices<WatchOptions['events'][number]>('events');
	if (selected.length === 0) throw parameters.createEmptyError('events');
	return { events: selected, confirmations: parameters.number('options.confirmations', 2) };
}

function toItems(change: HealthChange): INodeExecutionData[][] {
	return [[{ json: change as unknown as IDataObject }]];
}
