import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { DifyClient } from '../../../lib/dify/client';
import { refusedHere } from '../../../lib/dify/failure';
import { DifyApps } from './apps';
import { workOnItems } from './items';
import { Parameters } from './parameters';

/** What an operation gets to do its work on one item. */
export interface OperationCall {
	client: DifyClient;
	parameters: Parameters;
	signal: AbortSignal;
}

/** One operation of a node: gives the records that become items. */
export type Operation = (call: OperationCall) => Promise<object[]>;

/** Runs the operation of the node on every item. */
export async function runOperations(
	context: IExecuteFunctions,
	nameOf: (parameters: Parameters) => string,
	operations: Readonly<Record<string, Operation>>,
): Promise<INodeExecutionData[]> {
	const apps = new DifyApps(context);
	return await workOnItems(context, async (itemIndex, signal) => {
		const parameters = new Parameters(context, itemIndex);
		const name = nameOf(parameters);
		const operation = operations[name];
		if (operation === undefined)
			throw refusedHere('invalidParam', `This node has no operation "${name}"`, 'Choose one in the node.');
		const { client } = await apps.of(itemIndex);
		const records = await operation({ client, parameters, signal });
		return records.map((json) => ({ json: json as IDataObject, pairedItem: { item: itemIndex } }));
	});
}
