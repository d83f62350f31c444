/** Supplies a retriever over knowledge bases of Dify. */
import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { openDifyClient } from '../../lib/dify/credentials';
import { readRetrievalOptions } from '../shared/dify/retrieval-fields';
import type { NodeParameters } from '../shared/parameters';
import { FAILED_LIST } from '../shared/list-entries';
import { supplySubNode } from '../shared/sub-node';
import { parseUuid } from '../../lib/dify/ids';
import { isUnset } from '../../lib/values/records';
import { properties } from './fields';
import { createRetriever } from './retriever';

/** The retriever of an item, with the fields as they are for it. */
export async function supplyRetriever(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	const place = { context, connection: NodeConnectionTypes.AiRetriever, itemIndex };
	return await supplySubNode(place, async (subNode) => {
		const client = await openDifyClient(context, 'knowledge', itemIndex);
		const parameters = subNode.readParameters(properties);
		const datasetIds = readDatasetIds(parameters);
		const search = readRetrievalOptions(parameters);
		return { response: createRetriever({ client, datasetIds, search, log: subNode.log }) };
	});
}

function readDatasetIds(parameters: NodeParameters) {
	const selectedIds = [parameters.value('difyDatasetIds')].flat().filter((id) => !isUnset(id));
	if (selectedIds.includes(FAILED_LIST)) {
		throw parameters.createError(
			'difyDatasetIds',
			'contains the error message of a list that could not be loaded',
			'Remove this entry, reload the list, and select a knowledge base.',
		);
	}
	if (selectedIds.length === 0) {
		throw parameters.createEmptyError('difyDatasetIds', 'Select at least one knowledge base.');
	}
	return [...new Set(selectedIds.map((id) => parseUuid(id, 'knowledge base ID')))];
}
