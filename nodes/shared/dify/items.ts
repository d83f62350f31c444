import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { workOnItems, type ItemsOptions, type ItemWork } from '../run/items';
import { difyNodeError, errorItem } from './errors';

/**
 * Works on all items of a Dify node. A failed item becomes an item with the details of the failure, where the node goes
 * on.
 */
export async function workOnDifyItems(
	context: IExecuteFunctions,
	work: ItemWork<INodeExecutionData[]>,
	options: Pick<ItemsOptions<INodeExecutionData[]>, 'atOnce' | 'keyOf' | 'onFailure'> = {},
): Promise<INodeExecutionData[]> {
	const results = await workOnItems(context, work, {
		...options,
		toNodeError: (error, itemIndex) => difyNodeError(context.getNode(), error, itemIndex),
		whenFailed: (error, itemIndex) => [errorItem(context.getNode(), error, itemIndex)],
	});
	return results.flat();
}
