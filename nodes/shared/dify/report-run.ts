import { parseOpenAiUsage } from '../../../lib/chat/read/usage';
import type { RunResult } from '../../../lib/dify/types';
import { asFiniteNumber } from '../../../lib/values/numbers';
import { storeTokenTotals } from '../../../lib/n8n/token-totals';
import type { DifyCall } from './dify-operation';

/** Shows the warnings of a finished run, and adds its usage to the totals of the execution. */
export function reportRun(
	{ context, hint }: DifyCall,
	{ warnings, usage, status }: RunResult,
): void {
	warnings.forEach(hint);
	const totalMs = (asFiniteNumber(usage?.latency) ?? 0) * 1000;
	if (status !== 'paused') storeTokenTotals(context, { usage: parseOpenAiUsage(usage), totalMs });
}
