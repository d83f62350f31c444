import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeTypeDescription,
} from 'n8n-workflow';

import type { OperationTable } from '../run/operations';
import { runDifyOperations, type DifyOperation } from './dify-operation';

/** Common description of all Dify nodes that process items. */
export const difyActionNode = {
	group: ['transform'],
	version: 1,
	inputs: [NodeConnectionTypes.Main],
	outputs: [NodeConnectionTypes.Main],
	credentials: [{ name: 'difyApi', required: true }],
} satisfies Partial<INodeTypeDescription>;

/** Runs the operations of such a node. */
export function createDifyExecute(
	operations: OperationTable<DifyOperation>,
	getSequenceKey?: (context: IExecuteFunctions, itemIndex: number) => string | undefined,
): (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> {
	return async function () {
		return await runDifyOperations(
			this,
			operations,
			getSequenceKey && ((itemIndex) => getSequenceKey(this, itemIndex)),
		);
	};
}
