import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { DifyClient } from '../../../lib/dify/client';
import type { NodeOperation } from '../run/operations';
import { NodeParameters } from '../parameters';
import { DifyApps } from './apps';
import { workOnDifyItems } from './items';

/** What an operation gets to do its work on one item. */
export interface DifyCall {
	client: DifyClient;
	parameters: NodeParameters;
	signal: AbortSignal;
}

/** One operation of a node: gives the records that become items. */
export type DifyOperation = NodeOperation<DifyCall, object[]>;

/**
 * Runs the operation of the node on every item.
 *
 * @param operationOf the operation that an item chooses
 */
export async function runOperations(
	context: IExecuteFunctions,
	operationOf: (itemIndex: number) => DifyOperation,
): Promise<INodeExecutionData[]> {
	const apps = new DifyApps(context);
	return await workOnDifyItems(context, async (itemIndex, signal) => {
		const { fields, run } = operationOf(itemIndex);
		const { client } = await apps.of(itemIndex);
		const records = await run({ client, parameters: new NodeParameters(context, itemIndex, fields), signal });
		return records.map((json) => ({ json: json as IDataObject, pairedItem: { item: itemIndex } }));
	});
}
