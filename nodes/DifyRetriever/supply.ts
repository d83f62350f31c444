/** Supplies a retriever over knowledge bases of Dify. */
import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { openDifyClient } from '../../lib/dify/credentials';
import { toRetrievalOptions } from '../shared/dify/search-fields';
import { supplySubNode } from '../shared/items/sub-node';
import { fields } from './fields';
import { createRetriever } from './retriever';

/** The retriever of an item, with the fields as they are for it. */
export async function supplyRetriever(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	const place = { context, connection: NodeConnectionTypes.AiRetriever, itemIndex };
	return await supplySubNode(place, async (subNode) => {
		const client = await openDifyClient(context, 'knowledge', itemIndex);
		const values = subNode.readValues(fields);
		const { difyDatasetIds: datasetIds } = values;
		const search = toRetrievalOptions(values);
		return { response: createRetriever({ client, datasetIds, search, log: subNode.log }) };
	});
}
