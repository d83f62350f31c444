import type { IExecuteFunctions } from 'n8n-workflow';

import { pauseFor } from '../../../lib/http/waiting';

type Context = Pick<IExecuteFunctions, 'sendChunk' | 'getExecutionCancelSignal'>;

/** Errors of Redis during a start or failover: nothing was passed on then. */
const REDIS_SOON_TAKES_IT = /^(?:LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|READONLY|BUSY)\b/;
/** How long Redis may load its data. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

/**
 * Sends a chunk to n8n's chat. In queue mode it goes through Redis. While Redis restarts, the chunk is retried, and the
 * next ones wait for it.
 *
 * @throws the error of n8n where the chat was closed
 */
export async function sendToChat(
	context: Context,
	...[type, itemIndex, text]: Parameters<IExecuteFunctions['sendChunk']>
): Promise<void> {
	const signal = context.getExecutionCancelSignal();
	const from = performance.now();
	const send = async (): Promise<void> =>
		await (text === undefined
			? context.sendChunk(type, itemIndex)
			: context.sendChunk(type, itemIndex, text));
	const sendAgain = async (failure: Error): Promise<void> => {
		const isOver = signal?.aborted === true || performance.now() - from > PATIENCE_MS;
		if (isOver || !REDIS_SOON_TAKES_IT.test(failure.message)) return await Promise.reject(failure);
		await pauseFor(PAUSE_MS, signal);
		await send().catch(sendAgain);
	};
	await send().catch(sendAgain);
}
