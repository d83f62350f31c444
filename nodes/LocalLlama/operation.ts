import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import * as workflow from 'n8n-workflow';

import type { Usage } from '../../lib/chat/types';
import type { Connection } from '../../lib/http/connection';
import { localLlamaServers } from '../../lib/servers/credential';
import type { ServerPool } from '../../lib/servers/pool/server-pool';
import { NodeParameters } from '../shared/parameters';
import { queueingOf } from '../shared/queueing';
import { ItemFailure } from '../shared/run/failed-item';
import type { Operation, OperationCall } from '../shared/run/operations';
import { runOperations, type RunOptions } from '../shared/run/run-operations';
import { quietly } from '../../lib/values';

/** What the credential of an item gives access to. */
interface LlamaAccess {
	/** For requests that any of its servers may take. */
	servers: ServerPool;
	/** The server of the Base URL, for its models. */
	connection: Connection;
}

export type LlamaCall = OperationCall<LlamaAccess>;
export type LocalLlamaOperation = Operation<LlamaAccess>;

/** Runs the operations of the node. */
export async function runLocalLlama(
	context: IExecuteFunctions,
	table: RunOptions<LlamaAccess>['table'],
): Promise<INodeExecutionData[][]> {
	const pools = new Map<string, ServerPool>();
	const accessOf = async (itemIndex: number) => {
		const data = await context.getCredentials('localLlamaApi', itemIndex);
		const { fields } = table.operationOf(context, itemIndex);
		const parameters = new NodeParameters(context, itemIndex, fields);
		const queueing = queueingOf(context, parameters, 'action');
		const key = JSON.stringify([data, queueing]);
		const servers = pools.get(key) ?? localLlamaServers(data, context.helpers, queueing);
		pools.set(key, servers);
		return { servers, connection: servers.first };
	};
	return await runOperations(context, { table, accessOf });
}

/** Adds the server's address to the items of an operation, where the credential has several servers. */
export function withServerUrl(operation: LocalLlamaOperation): LocalLlamaOperation {
	return {
		...operation,
		run: async (call) => {
			const { hasSeveral, first } = call.servers;
			const serverUrl = first.url.root;
			const items = await operation.run(call);
			if (!hasSeveral) return items;
			return items.map((item) =>
				item instanceof ItemFailure ? item : { ...item, json: { serverUrl, ...item.json } },
			);
		},
	};
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
	quietly(() => add?.(context, promptTokens, completionTokens));
}
