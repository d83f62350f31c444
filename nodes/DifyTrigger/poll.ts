import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';

import { difyClient } from '../../lib/dify/credentials';
import { difyNodeError } from '../shared/dify/errors';
import { NodeParameters } from '../shared/parameters';
import type { WatchedEvent } from './event';
import { feedback } from './feedback';
import { properties } from './fields';
import { workflowRun } from './workflow-run';

const EVENTS: Record<'feedback' | 'workflowRun', WatchedEvent> = { feedback, workflowRun };

/** Nodes that look at this moment. */
const looking = new Set<string>();

/**
 * One look at the app. What was seen is stored only when all of it was read: a look that fails is repeated by the next
 * one, which then finds the same and what came since. n8n stores it together with the workflow that it starts. It begins
 * a look while the last one goes on as well: two would find the same, so there is none then.
 */
export async function pollDify(context: IPollFunctions): Promise<INodeExecutionData[][] | null> {
	try {
		const parameters = NodeParameters.ofPoll(context, properties);
		const event = parameters.choice<keyof typeof EVENTS>('event');
		const client = difyClient(await context.getCredentials('difyApi'), context.helpers);
		const call = { client, parameters };
		if (context.getMode() === 'manual') return outputOf(await EVENTS[event].examples(call));
		const node = `${context.getWorkflow().id}/${context.getNode().id}`;
		if (looking.has(node)) return null;
		looking.add(node);
		try {
			const stored = context.getWorkflowStaticData('node');
			const { memory, items } = await EVENTS[event].news(call, stored[event]);
			stored[event] = memory as IDataObject;
			return outputOf(items);
		} finally {
			looking.delete(node);
		}
	} catch (error) {
		throw difyNodeError(context.getNode(), error, {});
	}
}

function outputOf(items: object[]): INodeExecutionData[][] | null {
	return items.length === 0 ? null : [items.map((json) => ({ json: json as IDataObject }))];
}
