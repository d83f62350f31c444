import type { RunResult } from '../../../lib/dify/types';
import { openAiUsage } from '../../../lib/chat/usage';
import { finiteNumber } from '../../../lib/values';
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { DifyClient } from '../../../lib/dify/client';
import { difyClient } from '../../../lib/dify/credentials';
import type { Operation, OperationCall } from '../run/operations';
import { runOperations, type RunOperationsOptions } from '../run/run-operations';
import { countGeneration } from '../token-totals';
import { CachedDifyAccess, type DifyAccess } from '../../../lib/dify/access';
import { difyNodeError } from './errors';

export type DifyCall = OperationCall<DifyAccess>;
export type DifyOperation = Operation<DifyAccess>;

/** A client without the key, for signed URLs, which may be on another host. */
export async function keylessClient({ context, itemIndex, signal }: DifyCall): Promise<DifyClient> {
	const data = await context.getCredentials('difyApi', itemIndex);
	return difyClient(data, context.helpers, false).withSignal(signal);
}

/** Shows the warnings of a finished run, and adds its usage to the totals of the execution. */
export function reportRun(
	{ context, hint }: DifyCall,
	{ warnings, usage, status }: RunResult,
): void {
	warnings.forEach(hint);
	const totalMs = (finiteNumber(usage?.latency) ?? 0) * 1000;
	if (status !== 'paused') countGeneration(context, { usage: openAiUsage(usage), totalMs });
}

/** Runs the operations of a Dify node. */
export async function runDifyOperations(
	context: IExecuteFunctions,
	table: RunOperationsOptions<DifyAccess>['table'],
	keyOf?: (itemIndex: number) => string | undefined,
): Promise<INodeExecutionData[][]> {
	const apps = new Map<string, CachedDifyAccess>();
	const accessOf = async (itemIndex: number, signal: AbortSignal) => {
		const data = await context.getCredentials('difyApi', itemIndex);
		const key = JSON.stringify(data);
		const app = apps.get(key) ?? new CachedDifyAccess(difyClient(data, context.helpers));
		apps.set(key, app);
		return app.within(signal);
	};
	return await runOperations(context, { table, accessOf, nodeError: difyNodeError, keyOf });
}
