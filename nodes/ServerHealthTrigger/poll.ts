import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';

import { toNodeError } from '../../lib/errors/node-error';
import { checkServer } from '../../lib/health/check';
import { currentState, watch, type HealthChange, type WatchMemory, type WatchOptions } from '../../lib/health/watch';
import { optional } from '../../lib/values';
import { deliveries } from '../shared/deliveries';
import { readNeeds } from '../shared/health/check-fields';
import { targetOf } from '../shared/health/target';
import { NodeParameters } from '../shared/parameters';
import { properties } from './fields';

/**
 * Runs one check. A change starts the workflow, again at each check until the workflow succeeds. All open changes are
 * delivered together, in order, one item each.
 */
export async function pollServerHealth(context: IPollFunctions): Promise<INodeExecutionData[][] | null> {
	try {
		const parameters = NodeParameters.ofPoll(context, properties);
		const options: WatchOptions = {
			events: parameters.choices('events'),
			confirmations: parameters.number('options.confirmations', 2),
			firstState: parameters.choice('options.firstState', 'unhealthy'),
		};
		const target = await targetOf(context, parameters.choice('service'), 0);
		const check = await checkServer(target, readNeeds(parameters));
		if (context.getMode() === 'manual') return [[itemOf(currentState(check, newId))]];

		const stored = context.getWorkflowStaticData('node');
		const memory = watch(readMemory(stored), check, options, newId);
		const untold = memory.untold.filter(({ id }) => deliveries.progressOf(id) !== 'succeeded');
		Object.assign(stored, { state: memory.state, candidate: memory.candidate ?? null, untold });
		// Nothing is delivered while the workflow runs, so that changes keep their order.
		if (untold.length === 0 || untold.some(({ id }) => deliveries.progressOf(id) === 'running')) return null;
		deliveries.give(
			context,
			untold.map(({ id }) => id),
			untold.map(itemOf),
		);
		return null;
	} catch (error) {
		throw toNodeError(context.getNode(), error);
	}
}

function itemOf({ health, ...change }: HealthChange): INodeExecutionData {
	return { json: { healthy: health.healthy, status: health.status, ...change, health } as unknown as IDataObject };
}

function newId(): string {
	return crypto.randomUUID();
}

/** Reads what n8n stored for this node, at first nothing. */
function readMemory(stored: IDataObject): WatchMemory {
	const { state, candidate, untold } = stored as unknown as Partial<WatchMemory>;
	return {
		...optional({ state }),
		...(candidate == null ? {} : { candidate }),
		untold: Array.isArray(untold) ? [...untold] : [],
	};
}
