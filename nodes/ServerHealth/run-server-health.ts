import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { serviceField } from '../shared/fields/check-fields';
import { createCheckTarget } from '../../lib/health/target';
import { readValues } from '../shared/fields/read-values';
import { runOperations } from '../shared/items/run-operations';
import { toHealthNodeError } from './health-operation';
import { operations } from './operations';

/** Runs the selected operation for all items. */
export async function runServerHealth(context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	return await runOperations(context, {
		table: operations,
		getAccess: async (source) => {
			const { service } = readValues(source, { service: serviceField });
			return { target: await createCheckTarget(context, service, source.itemIndex) };
		},
		createNodeError: toHealthNodeError,
		outputs: hasOneOutput(context) ? 1 : 2,
	});
}

/**
 * As a tool of an agent the node has one output, and n8n reads the first list only (n8n-core,
 * get-input-connection-data.ts, and the agent's buildSteps.ts): an unhealthy server would be an empty result. n8n's own
 * assistant runs the node in mode `internal`, and reads only the first list, too.
 */
function hasOneOutput(context: IExecuteFunctions) {
	const mains = context.getNodeOutputs().filter(({ type }) => type === NodeConnectionTypes.Main);
	return mains.length < 2 || context.getMode() === 'internal';
}
