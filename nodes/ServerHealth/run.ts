import { NodeConnectionTypes, type IExecuteFunctions, type INodeExecutionData } from 'n8n-workflow';

import { createCheckTarget } from '../shared/health/target';
import { runOperations } from '../shared/run/run-operations';
import { operations, readService } from './operations';

export async function runServerHealth(context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	return await runOperations(context, {
		table: operations,
		getAccess: async (itemIndex) => ({
			target: await createCheckTarget(context, readService(context, itemIndex), itemIndex),
		}),
		outputs: hasOneOutput(context) ? 1 : 2,
	});
}

/**
 * As a tool of an agent the node has one output, and n8n reads the first list only (n8n-core,
 * get-input-connection-data.ts, and the agent's buildSteps.ts): an unhealthy server would be an empty result. n8n's own
 * assistant runs the node in mode `internal`, and reads only the first list, too.
 */
function hasOneOutput(context: IExecuteFunctions): boolean {
	const mains = context.getNodeOutputs().filter(({ type }) => type === NodeConnectionTypes.Main);
	return mains.length < 2 || context.getMode() === 'internal';
}
