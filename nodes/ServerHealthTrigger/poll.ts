import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';

import { toNodeError } from '../../lib/errors/node-error';
import { checkServer } from '../../lib/health/check';
import {
	currentState,
	watch,
	type HealthChange,
	type WatchMemory,
	type WatchOptions,
} from '../../lib/health/watch';
import { optional } from '../../lib/values';
import { deliveries } from '../shared/deliveries';
import { readExpectations } from '../shared/health/check-fields';
import { targetOf } from '../shared/health/target';
import { NodeParameters } from '../shared/parameters';
import { properties } from './fields';

/** For so long after a delivery, a restart of n8n repeats it. */
const REPEATED_FOR_MS = 60 * 60 * 1000;

/** A workflow that has not ended by then is not waited for. */
const RUNS_FOR_MS = 24 * 60 * 60 * 1000;

/**
 * Runs one check. A change starts the workflow, again at each check until the workflow succeeds. All open changes are
 * delivered together, in order, one item each.
 */
export async function pollServerHealth(
	context: IPollFunctions,
): Promise<INodeExecutionData[][] | null> {
	try {
		const parameters = NodeParameters.ofPoll(context, properties);
		const options: WatchOptions = {
			events: parameters.choices('events'),
			confirmations: parameters.number('options.confirmations', 2),
			firstState: parameters.choice('options.firstState', 'unhealthy'),
		};
		const target = await targetOf(context, parameters.choice('service'), 0);
		const check = await checkServer(target, readExpectations(parameters));
		if (context.getMode() === 'manual') return [[itemOf(currentState(check, newId))]];

		const stored = context.getWorkflowStaticData('node');
		const memory = watch(readMemory(stored), check, options, newId);
		const untold = memory.untold.filter((change) => !isDone(change));
		Object.assign(stored, { state: memory.state, candidate: memory.candidate, untold });
		// Nothing is delivered while the workflow runs, so that changes keep their order.
		if (untold.length === 0 || untold.some(isRunning)) return null;
		for (const change of untold)
			change.given = { at: Date.now(), again: deliveries.progressOf(change.id) !== undefined };
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

/** n8n never says how an execution ended that a user removed before it began, or that n8n 2.20 could not store. */
function isRunning({ id, given }: HealthChange): boolean {
	return deliveries.progressOf(id) === 'running' && Date.now() - (given?.at ?? 0) < RUNS_FOR_MS;
}

/**
 * n8n stores what a poll changed only when that poll starts the workflow, so never the success of a delivery, but each
 * repetition. So after a restart, a delivery that was not repeated is taken for done, unless it may have been cut off.
 */
function isDone({ id, given }: HealthChange): boolean {
	const progress = deliveries.progressOf(id);
	if (progress !== undefined) return progress === 'succeeded';
	return given?.again === false && Date.now() - given.at > REPEATED_FOR_MS;
}

function itemOf({ health, ...change }: HealthChange): INodeExecutionData {
	const { healthy, status } = health;
	return {
		json: optional({
			healthy,
			status,
			...change,
			given: undefined,
			health,
		}) as unknown as IDataObject,
	};
}

function newId(): string {
	return crypto.randomUUID();
}

/** Reads what n8n stored for this node, at first nothing. */
function readMemory(stored: IDataObject): WatchMemory {
	const { state, candidate, untold = [] } = stored as unknown as Partial<WatchMemory>;
	return { ...optional({ state, candidate }), untold };
}
