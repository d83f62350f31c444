import type { IExecuteFunctions } from 'n8n-workflow';

import { pauseFor } from '../../../lib/http/waiting';

type Context = Pick<IExecuteFunctions, 'sendChunk' | 'getExecutionCancelSignal'>;

/** How Redis refuses while it starts, or while another one takes its place; nothing was passed on then. */
const REDIS_SOON_TAKES_IT = /^(?:LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|READONLY|BUSY)\b/;
/** So long, Redis may read its data. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

/**
 * Types into n8n's chat. In queue mode the text goes through Redis, and one that has just been started again is no reason
 * to end an answer: the same piece is sent again, and the next ones wait for it.
 *
 * @throws what n8n throws where nobody reads the chat any more
 */
export async function toChat(
	context: Context,
	...[type, itemIndex, text]: Parameters<IExecuteFunctions['sendChunk']>
): Promise<void> {
	const signal = context.getExecutionCancelSignal();
	const from = performance.now();
	const send = async (): Promise<void> =>
		await (text === undefined ? context.sendChunk(type, itemIndex) : context.sendChunk(type, itemIndex, text));
	const sendAgain = async (failure: Error): Promise<void> => {
		const isOver = signal?.aborted === true || performance.now() - from > PATIENCE_MS;
		if (isOver || !REDIS_SOON_TAKES_IT.test(failure.message)) return await Promise.reject(failure);
		await pauseFor(PAUSE_MS, signal);
		await send().catch(sendAgain);
	};
	await send().catch(sendAgain);
}
