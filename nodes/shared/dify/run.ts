import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { DifyClient } from '../../../lib/dify/client';
import { difyClient } from '../../../lib/dify/credentials';
import type { KnowledgeApi } from '../../../lib/dify/knowledge/api';
import { itemCredentials } from '../run/item-credentials';
import type { Operation, OperationCall } from '../run/operations';
import { runOperations, type RunOptions } from '../run/run-operations';
import { DifyApp } from './apps';
import { difyNodeError } from './errors';

/** What the credential of an item gives access to: an app, or the knowledge bases of a workspace. */
export interface DifyAccess {
	app: DifyApp;
	client: DifyClient;
	api: KnowledgeApi;
}

export type DifyCall = OperationCall<DifyAccess>;
export type DifyOperation = Operation<DifyAccess>;

/** Runs the operations of a Dify node. */
export async function runDifyOperations(
	context: IExecuteFunctions,
	table: RunOptions<DifyAccess>['table'],
	keyOf?: (itemIndex: number) => string | undefined,
): Promise<INodeExecutionData[][]> {
	const credentialOf = itemCredentials(context, 'difyApi');
	const apps = new Map<string, DifyApp>();
	const accessOf = async (itemIndex: number) => {
		const data = await credentialOf(itemIndex);
		const key = JSON.stringify(data);
		const app = apps.get(key) ?? new DifyApp(difyClient(data, context.helpers));
		apps.set(key, app);
		return { app, client: app.client, api: app.knowledge };
	};
	return await runOperations(context, { table, accessOf, nodeError: difyNodeError, keyOf });
}
