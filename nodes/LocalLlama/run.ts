import type { IDataObject, IExecuteFunctions, INode, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import * as workflow from 'n8n-workflow';

import { errorDetails, toNodeError } from '../../lib/errors/node-error';
import { ServerError } from '../../lib/errors/server-error';
import { localLlamaServers } from '../../lib/servers/credential';
import type { ServerPool } from '../../lib/servers/pool/server-pool';
import { ChatTyping, failuresToChat } from '../shared/run/chat-typing';
import { workOnItems } from '../shared/run/items';
import { NodeParameters } from '../shared/parameters';
import { typesIntoChat } from '../shared/run/types-into-chat';
import { ItemFailure, type LlamaCall, type LlamaItem } from './operation';
import { workIn } from './options';
import { operationOf } from './resources';

/** Runs the operation of the node on every item. */
export async function runLocalLlama(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const credentials = new Credentials(context);
	const hints = new Hints(context);
	const { types, atOnce } = workFor(context);
	const partsOf = async (itemIndex: number, fields: INodeProperties[]) => {
		const servers = await credentials.serversOf(itemIndex);
		const parameters = new NodeParameters(context, itemIndex, fields);
		return { servers, connection: servers.first, parameters };
	};
	const results = await workOnItems(
		context,
		async (itemIndex, signal) => {
			const { fields, run, isOfOneServer = false } = operationOf(context, itemIndex);
			const typing = types ? new ChatTyping(context, itemIndex) : undefined;
			const parts = await partsOf(itemIndex, fields);
			const { hasSeveral, first } = parts.servers;
			const where = isOfOneServer && hasSeveral ? { serverUrl: first.url.root } : {};
			const items = await run({
				context,
				...parts,
				itemIndex,
				of: async (other) => await partsOf(other, fields),
				signal,
				type: async (text) => await typing?.type(text),
				hint: (message) => hints.give(message),
				countTokens: (usage) => countTokens(context, usage),
			});
			await typing?.end();
			return items.map((item) =>
				item instanceof ItemFailure
					? failedItem(context.getNode(), item.reason, item.itemIndex)
					: itemOf(itemIndex, { ...item, json: { ...where, ...item.json } }),
			);
		},
		{
			// The chat shows the pieces of one node in one message: two answers at once would be mixed.
			atOnce: types ? 1 : atOnce,
			toNodeError: (error, itemIndex) =>
				error instanceof ItemFailure
					? toNodeError(context.getNode(), error.reason, { itemIndex: error.itemIndex })
					: toNodeError(context.getNode(), error, { itemIndex }),
			whenFailed: (error, itemIndex) => [failedItem(context.getNode(), error, itemIndex)],
			...(types ? failuresToChat(context) : {}),
		},
	);
	return results.flat();
}

/** The servers of an execution: items may have different credentials. */
class Credentials {
	private readonly pools = new Map<string, ServerPool>();

	constructor(private readonly context: IExecuteFunctions) {}

	async serversOf(itemIndex: number): Promise<ServerPool> {
		const data = await this.context.getCredentials('localLlamaApi', itemIndex);
		const key = JSON.stringify(data);
		const pool = this.pools.get(key) ?? localLlamaServers(data, this.context.helpers);
		this.pools.set(key, pool);
		return pool;
	}
}

/** Remarks of an execution, each given once. */
class Hints {
	private readonly given = new Set<string>();

	constructor(private readonly context: IExecuteFunctions) {}

	give(message: string): void {
		if (this.given.has(message)) return;
		this.given.add(message);
		this.context.addExecutionHints({ message, location: 'outputPane', type: 'warning' });
	}
}

/**
 * How to work on the items, from the first one. A value that cannot be read is reported where that item is worked on.
 */
function workFor(context: IExecuteFunctions): { types: boolean; atOnce: number } {
	try {
		const { fields } = operationOf(context, 0);
		const { types, atOnce } = workIn(new NodeParameters(context, 0, fields), fields);
		return { types: types && typesIntoChat(context), atOnce };
	} catch {
		return { types: false, atOnce: 1 };
	}
}

/** n8n before 2.41 does not add tokens up. The context of a tool may know nothing of it: no answer is lost for that. */
function countTokens(context: IExecuteFunctions, usage: Parameters<LlamaCall['countTokens']>[0]): void {
	const { accumulateTokenUsage: add } = workflow as Partial<typeof workflow>;
	try {
		add?.(context, usage.promptTokens, usage.completionTokens);
	} catch {
		// Counted nowhere.
	}
}

function itemOf(itemIndex: number, { json, binary, from = itemIndex }: LlamaItem): INodeExecutionData {
	return {
		json: json as IDataObject,
		...(binary === undefined ? {} : { binary }),
		pairedItem: Array.isArray(from) ? from.map((item) => ({ item })) : { item: from },
	};
}

/**
 * The item that stands for a failure. All of it is in the one field `error`: n8n sends such an item to the error
 * output, where there is one, and keeps what is in it. Of an item with an `error` beside its `json`, n8n would keep the
 * message only (n8n-core, workflow-execute.ts).
 */
function failedItem(node: INode, error: unknown, itemIndex: number): INodeExecutionData {
	const { message, description } = toNodeError(node, error, { itemIndex });
	const details = error instanceof ServerError ? (errorDetails(error) as IDataObject) : {};
	return {
		json: { error: { message, ...(description ? { description } : {}), ...details } },
		pairedItem: { item: itemIndex },
	};
}
