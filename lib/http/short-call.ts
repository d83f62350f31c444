import { methodOf } from './answer';
import type { ChannelUse } from './dispatcher';
import type { Explainer } from './explain';
import { Watchdog } from './limits';
import { watchedBody } from './request-body';
import { type ConnectionChoice, newConnection, pooledConnection, type Sender } from './sender';
import type { CallAnswer, CallOptions } from './types';

const MAX_CALL_MS = 15_000;

/** What a call needs of its connection. */
interface Calling {
	sender: Sender;
	explainer: Explainer;
	openChannel: () => ChannelUse;
}

/**
 * A request outside the queue, whose answer is read at once, with one limit for all of it. A GET is sent again once if
 * its reused connection was already closed.
 *
 * @throws {ServerError} if there is no answer
 */
export async function shortCall(
	url: string,
	options: CallOptions,
	{ sender, explainer, openChannel }: Calling,
): Promise<CallAnswer> {
	const { once = methodOf(options) !== 'GET', idleMs = 0, timeoutMs = MAX_CALL_MS } = options;
	const watchdog = new Watchdog({ firstTokenMs: 0, idleMs, totalMs: timeoutMs }, options.signal);
	const explain = (error: unknown) => explainer.explainCall(error, url, options, watchdog);
	const watched = withIdleLimit(options, watchdog);
	const send = async (choice: ConnectionChoice) => {
		const answer = await sender.send(url, watched, watchdog, choice);
		return await sender.read(answer, options, watchdog);
	};
	let channel: ChannelUse | undefined;
	try {
		channel = openChannel();
		if (once) return await send(newConnection(channel));
		const reused = await send(pooledConnection(channel)).catch((error: unknown) => ({
			failed: explain(error),
		}));
		if (!('failed' in reused)) return reused;
		if (reused.failed.kind !== 'closedBeforeAnswer') throw reused.failed;
		return await send(newConnection(channel));
	} catch (error) {
		throw explain(error);
	} finally {
		watchdog.stop();
		channel?.release();
	}
}

/** Each piece of an upload resets the idle limit. */
function withIdleLimit(options: CallOptions, watchdog: Watchdog): CallOptions {
	if (!((options.idleMs ?? 0) > 0)) return options;
	watchdog.content();
	return { ...options, body: watchedBody(options.body, watchdog) };
}
