import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import type * as workflow from 'n8n-workflow';
import type { Priority } from '../../lib/http/queue';
import type { ModelServer } from '../../lib/servers/types/server-type';
import { isSameForEachItem } from '../../lib/servers/credential';
import { createModelServer } from '../../lib/servers/endpoint';
import type { ItemSource } from '../shared/fields/item-source';
import { readPriority } from '../shared/fields/request-options';
import type { Operation, OperationCall } from '../shared/items/operation';
import type { RunOperationsOptions } from '../shared/items/run-operations';
import { runOperations } from '../shared/items/run-operations';
import { watchLoading } from '../shared/items/watch-loading';

/** Model server and priority of an item. */
export interface LlamaAccess {
	server: ModelServer;
	/** Queue priority of the item's requests. */
	priority: Priority;
}

/** Arguments of an operation. */
export type LlamaCall = OperationCall<LlamaAccess>;

/** An operation of the node. */
export type LocalLlamaOperation = Operation<LlamaAccess>;

/**
 * Runs the operation of each item. Items with the same credential and priority share a server.
 *
 * @returns the items of the only output.
 */
export async function runLocalLlama(
	context: IExecuteFunctions,
	table: RunOperationsOptions<LlamaAccess>['table'],
): Promise<workflow.INodeExecutionData[][]> {
	const cachedAccess = new Map<string, LlamaAccess>();
	let sameForEachItem: ICredentialDataDecryptedObject | undefined;
	const getAccess = async (source: ItemSource) => {
		const { itemIndex } = source;
		const data =
			sameForEachItem ??
			(await context.getCredentials<ICredentialDataDecryptedObject>('localLlamaApi', itemIndex));
		if (isSameForEachItem(data)) sameForEachItem = data;
		const priority = readPriority(context, source);
		const key = JSON.stringify([data, priority]);
		const access = cachedAccess.get(key) ?? {
			server: watchLoading(context, createModelServer(data, context)),
			priority,
		};
		cachedAccess.set(key, access);
		return access;
	};
	const getSecrets = ({ server }: LlamaAccess) => server.secrets;
	return await runOperations(context, { table, getAccess, getSecrets });
}
