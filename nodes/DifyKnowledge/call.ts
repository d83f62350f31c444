import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { KnowledgeApi } from '../../lib/dify/knowledge/api';
import { DifyApps } from '../shared/dify/apps';
import { workOnDifyItems } from '../shared/dify/items';
import type { NodeOperation } from '../shared/run/operations';
import { NodeParameters } from '../shared/parameters';

/** What an operation gets to do its work on one item. */
export interface KnowledgeCall {
	api: KnowledgeApi;
	parameters: NodeParameters;
	signal: AbortSignal;
	context: IExecuteFunctions;
	/** Shows a remark at the node. */
	hint(message: string): void;
}

/** Records that become items, or items with binary data. */
export type KnowledgeResult = object[] | { items: INodeExecutionData[] };

export type KnowledgeOperation = NodeOperation<KnowledgeCall, KnowledgeResult>;

/** The knowledge APIs of an execution: items may have different credentials. */
export class KnowledgeApis {
	private readonly apps: DifyApps;
	private readonly apis = new WeakMap<object, KnowledgeApi>();

	constructor(context: IExecuteFunctions) {
		this.apps = new DifyApps(context);
	}

	async of(itemIndex: number): Promise<KnowledgeApi> {
		const { client } = await this.apps.of(itemIndex);
		const api = this.apis.get(client) ?? new KnowledgeApi(client);
		this.apis.set(client, api);
		return api;
	}
}

/** Shows remarks at the node, each once. */
export function hintsOf(context: IExecuteFunctions): (message: string) => void {
	const told = new Set<string>();
	return (message) => {
		if (told.has(message)) return;
		told.add(message);
		context.addExecutionHints({ message, location: 'outputPane', type: 'warning' });
	};
}

/** Runs the operation of the node on every item. */
export async function runOnItems(
	context: IExecuteFunctions,
	operationOf: (itemIndex: number) => KnowledgeOperation,
): Promise<INodeExecutionData[]> {
	const apis = new KnowledgeApis(context);
	const hint = hintsOf(context);
	return await workOnDifyItems(context, async (itemIndex, signal) => {
		const { fields, run } = operationOf(itemIndex);
		const parameters = new NodeParameters(context, itemIndex, fields);
		const result = await run({ api: await apis.of(itemIndex), parameters, signal, context, hint });
		const items = 'items' in result ? result.items : result.map((json) => ({ json: json as IDataObject }));
		return items.map((item) => ({ ...item, pairedItem: { item: itemIndex } }));
	});
}
