import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';

import { toNodeError } from '../../lib/errors/node-error';
import { checkServer } from '../../lib/health/check';
import {
	toCurrentState,
	updateWatchState,
	type HealthChange,
	type WatchState,
} from '../../lib/health/watch';
import { readExpectations } from '../shared/health/check-fields';
import { createCheckTarget } from '../shared/health/target';
import { NodeParameters } from '../shared/parameters';
import { properties } from './fields';

/**
 * Runs one check, and starts the workflow once per change. n8n persists the stored state, so a change while n8n was down
 * is reported after its next start.
 */
export async function pollServerHealth(
	context: IPollFunctions,
): Promise<INodeExecutionData[][] | null> {
	try {
		const parameters = NodeParameters.ofPoll(context, properties);
		const target = await createCheckTarget(context, parameters.choice('service'), 0);
		const check = await checkServer(target, readExpectations(parameters));
		if (context.getMode() === 'manual') return toItems(toCurrentState(check));
		const stored = context.getWorkflowStaticData('node');
		const { state, candidate } = stored as unknown as WatchState;
		const { memory, change } = updateWatchState({ state, candidate }, check, {
			events: parameters.choices('events'),
			confirmations: parameters.number('options.confirmations', 2),
		});
		Object.assign(stored, { state: memory.state, candidate: memory.candidate });
		return change === undefined ? null : toItems(change);
	} catch (error) {
		throw toNodeError(context.getNode(), error);
	}
}

function toItems(change: HealthChange): INodeExecutionData[][] {
	return [[{ json: change as unknown as IDataObject }]];
}
