/** Fields and polls of Server Health Trigger. */
import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';
import type { FieldTable, Values } from '../../lib/fields/field';
import { toNodeError } from '../../lib/errors/node-error';
import { checkServer } from '../../lib/health/check';
import type { HealthChange, WatchOptions } from '../../lib/health/watch';
import { parseWatchState, toCurrentState, updateWatchState } from '../../lib/health/watch';
import { ItemSource } from '../shared/fields/item-source';
import { optionsField } from '../shared/fields/options-field';
import { readValues } from '../shared/fields/read-values';
import {
	checkTimeoutField,
	expectationsField,
	serviceField,
	toCheckOptions,
} from '../shared/fields/check-fields';
import { createCheckTarget } from '../../lib/health/target';
import { toPollError } from '../../lib/n8n/shown-error';

export const fields = {
	service: serviceField,
	// n8n lists the options of a field with this label as the actions of a trigger.
	events: {
		kind: 'choices',
		label: 'Trigger On',
		default: ['unhealthy', 'healthy'],
		required: true,
		hint: 'Only selected events start the workflow. From the list of n8n, the node is added with one: add Server Becomes Healthy to learn when a server has recovered.',
		choices: {
			healthy: {
				name: 'Server Becomes Healthy',
				action: 'When a server becomes healthy',
				description: 'Reports how long the server was unhealthy',
			},
			unhealthy: {
				name: 'Server Becomes Unhealthy',
				action: 'When a server becomes unhealthy',
				description: 'Reports the problem and how to fix it',
			},
			problem: {
				name: 'Server Has a New Problem',
				action: 'When an unhealthy server has a new problem',
				description: 'The server was already unhealthy, for another reason',
			},
		},
	},
	expectations: expectationsField,
	options: optionsField({
		confirmations: {
			kind: 'number',
			label: 'Consecutive Checks',
			default: 2,
			range: [1, 100],
			isInteger: true,
			description:
				'How many consecutive checks must see a change before it triggers. With 1, a short restart triggers, too. 2 if not set.',
		},
		timeout: checkTimeoutField,
	}),
} as const satisfies FieldTable;

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
		const values = readValues(ItemSource.ofPoll(context), fields);
		const watched = toWatchOptions(values);
		const checkOptions = toCheckOptions(values);
		const target = await createCheckTarget(context, values.service, 0);
		const result = await checkServer(target, checkOptions);
		if (context.getMode() === 'manual') return toItems(toCurrentState(result));
		const stored = context.getWorkflowStaticData('node');
		const { memory, change } = updateWatchState(parseWatchState(stored), result, watched);
		Object.assign(stored, { state: memory.state, candidate: memory.candidate });
		return change === undefined ? null : toItems(change);
	} catch (error) {
		throw toPollError(toNodeError(context.getNode(), error));
	}
}

/** Which changes start the workflow. Read at each poll, so that a test shows what is wrong with them. */
function toWatchOptions({ events, options }: Values<typeof fields>): WatchOptions {
	const { confirmations = fields.options.fields.confirmations.default } = options;
	return { events: [...events], confirmations };
}

function toItems(change: HealthChange): INodeExecutionData[][] {
	return [[{ json: change as unknown as IDataObject }]];
}
