/**
 * What the Dify nodes have in common. What comes in: operations of one request (`request-operation.ts`), of a list
 * (`list-operation.ts`) or of a run, with their fields (`common-fields.ts`, `file-fields.ts`, `search-fields.ts`,
 * `run-options.ts`), and a credential of an app or of a workspace. What goes out: records of Dify as items; a run with its
 * text, files and usage (`run-output.ts`, `report-run.ts`); lists for the editor (`editor-lists.ts`); errors with Dify's code
 * and IDs (`dify-node-error.ts`). What it remembers: a client for each credential, during a run of the node. The lists and
 * forms that Dify returned are remembered by the client (`difyLookups` in `lib/kept.ts`).
 *
 * A run is prepared in `prepare-run.ts`: its inputs for the app's form (`run-inputs.ts`), its files (`run-files.ts`,
 * `form-files.ts`, `prepare-run.ts`), which are uploaded before it starts. This file runs the nodes that process items.
 */
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
			getSecrets: ({ client }) => client.endpoint.secrets,
			createNodeError: toDifyNodeError,
		});
	};
}
