import type { RunResult } from '../../../lib/dify/types';
import { parseOpenAiUsage } from '../../../lib/chat/usage';
import { asFiniteNumber } from '../../../lib/values';
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { DifyClient } from '../../../lib/dify/client';
import { createDifyClient } from '../../../lib/dify/credentials';
import type { Operation, OperationCall } from '../run/operations';
import { runOperations, type RunOperationsOptions } from '../run/run-operations';
import { addTokenTotals } from '../token-totals';
import { CachedDifyAccess, type DifyAccess } from '../../../lib/dify/access';
import { toDifyNodeError } from './errors';

export type DifyCall = OperationCall<DifyAccess>;
export type DifyOperation = Operation<DifyAccess>;

/** A client without the key, for signed URLs, which may be on another host. */
export async function createKeylessClient({
	context,
	itemIndex,
	signal,
}: DifyCall): Promise<DifyClient> {
	const data = await context.getCredentials('difyApi', itemIndex);
	return createDifyClient(data, context.helpers, false).withSignal(signal);
}

/** Shows the warnings of a finished run, and adds its usage to the totals of the execution. */
export function reportRun(
	{ context, hint }: DifyCall,
	{ warnings, usage, status }: RunResult,
): void {
	warnings.forEach(hint);
	const totalMs = (asFiniteNumber(usage?.latency) ?? 0) * 1000;
	if (status !== 'paused') addTokenTotals(context, { usage: parseOpenAiUsage(usage), totalMs });
}

/** Runs the operations of a Dify node. */
export async function runDifyOperations(
	context: IExecuteFunctions,
	table: RunOperationsOptions<DifyAccess>['table'],
	getSequenceKey?: (itemIndex: number) => string | undefined,
): Promise<INodeExecutionData[][]> {
	const apps = new Map<string, CachedDifyAccess>();
	const getAccess = async (itemIndex: number, signal: AbortSignal) => {
		const data = await context.getCredentials('difyApi', itemIndex);
		const key = JSON.stringify(data);
		const app = apps.get(key) ?? new CachedDifyAccess(createDifyClient(data, context.helpers));
		apps.set(key, app);
		return app.withSignal(signal);
	};
	return await runOperations(context, {
		table,
		getAccess,
		createNodeError: toDifyNodeError,
		getSequenceKey,
	});
}
