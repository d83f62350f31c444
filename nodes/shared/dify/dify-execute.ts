/** The Dify nodes that process items: what they have in common. */
import type { IExecuteFunctions, INodeExecutionData, INodeTypeDescription } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import type { DifyClient } from '../../../lib/dify/client';
import type { DifyKeyType } from '../../../lib/dify/credentials';
import { openDifyClient } from '../../../lib/dify/credentials';
import type { OperationTable } from '../items/operation-table';
import { runOperations } from '../items/run-operations';
import { toDifyNodeError } from './dify-node-error';
import type { DifyOperation } from './dify-operation';

/** Common description of all Dify nodes that process items. */
export const difyActionNode = {
	group: ['transform'],
	version: 1,
	inputs: [NodeConnectionTypes.Main],
	outputs: [NodeConnectionTypes.Main],
	credentials: [{ name: 'difyApi', required: true }],
} satisfies Partial<INodeTypeDescription>;

/** The method `execute` of such a node. */
type Execute = (this: IExecuteFunctions) => Promise<INodeExecutionData[][]>;

/**
 * Runs the operations of such a node.
 *
 * @param keyType of the credential that the node requires
 */
export function createDifyExecute(
	table: OperationTable<DifyOperation>,
	keyType: DifyKeyType,
): Execute {
	return async function (this) {
		const clients = new Map<string, DifyClient>();
		return await runOperations(this, {
			table,
			getAccess: async ({ itemIndex }, signal) => {
				const client = await openDifyClient(this, keyType, itemIndex);
				const { id } = client.endpoint;
				const cachingClient = clients.get(id) ?? client;
				clients.set(id, cachingClient);
				return { client: cachingClient.withSignal(signal) };
			},
			createNodeError: toDifyNodeError,
		});
	};
}
