import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	INodeExecutionData,
} from 'n8n-workflow';
import * as workflow from 'n8n-workflow';

import type { Usage } from '../../lib/chat/types';
import type { Priority } from '../../lib/http/queue';
import type { ModelServer } from '../../lib/servers/types/server-type';
import { isSameForEachItem } from '../../lib/servers/credential';
import { createModelServer } from '../../lib/servers/model-server';
import { NodeParameters } from '../shared/parameters';
import { readPriority } from '../shared/timeout-fields';
import type { Operation, OperationCall } from '../shared/run/operations';
import { runOperations, type RunOperationsOptions } from '../shared/run/run-operations';
import { tryOrUndefined } from '../../lib/values';

/** Model server and priority of an item. */
interface LlamaAccess {
	server: ModelServer;
	/** Queue priority of the item's requests. */
	priority: Priority;
}

export type LlamaCall = OperationCall<LlamaAccess>;
export type LocalLlamaOperation = Operation<LlamaAccess>;

export async function runLocalLlama(
	context: IExecuteFunctions,
	table: RunOperationsOptions<LlamaAccess>['table'],
): Promise<INodeExecutionData[][]> {
	const cachedAccess = new Map<string, LlamaAccess>();
	let sameForEachItem: ICredentialDataDecryptedObject | undefined;
	const getAccess = async (itemIndex: number) => {
		const data =
			sameForEachItem ??
			(await context.getCredentials<ICredentialDataDecryptedObject>('localLlamaApi', itemIndex));
		if (isSameForEachItem(data)) sameForEachItem = data;
		const { fields } = table.getOperation(context, itemIndex);
		const priority = readPriority(context, new NodeParameters(context, itemIndex, fields));
		const key = JSON.stringify([data, priority]);
		const access = cachedAccess.get(key) ?? {
			server: createModelServer(data, context.helpers),
			priority,
		};
		cachedAccess.set(key, access);
		return access;
	};
	return await runOperations(context, { table, getAccess });
}

/**
 * Adds tokens to the usage that n8n shows at the node. n8n before 2.41 does not sum them, and a tool's context may lack
 * the method: errors are ignored.
 */
export function countTokens(
	{ context }: LlamaCall,
	{ promptTokens, completionTokens }: Pick<Usage, 'promptTokens' | 'completionTokens'>,
): void {
	const { accumulateTokenUsage: add } = workflow as Partial<typeof workflow>;
	tryOrUndefined(() => add?.(context, promptTokens, completionTokens));
}
