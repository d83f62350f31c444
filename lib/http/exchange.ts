import { IncomingBody, type Pace } from './incoming-body';
import type { Dispatcher } from '../vendor';

interface ExchangeOptions {
	dispatcher: Dispatcher;
	method: string;
	headers: Record<string, string>;
	body?: Dispatcher.DispatchOptions['body'];
	signal: AbortSignal;
	/** Whether to use a connection for this request only. */
	reset: boolean;
	/** Least time between two reads of the body. */
	pace?: Pace;
}

interface Exchange {
	statusCode: number;
	headers: Record<string, string | string[] | undefined>;
	body: IncomingBody;
}

/**
 * Sends one request, and resolves with the headers of its answer. Like undici's `request`, with a body that can be read
 * at a pace, and without undici's time limits: the Watchdog applies them.
 */
export async function exchange(
	url: string,
	{ dispatcher, signal, pace, ...options }: ExchangeOptions,
): Promise<Exchange> {
	signal.throwIfAborted();
	const { origin, pathname, search } = new URL(url);
	return await new Promise<Exchange>((resolve, reject) => {
		let body: IncomingBody | undefined;
		let abort: ((reason: Error) => void) | undefined;
		const onAbort = () => {
			// undici checks the signal only after connecting, which takes up to 10 s if packets are dropped.
			reject(signal.reason as Error);
			abort?.(signal.reason as Error);
		};
		const over = () => signal.removeEventListener('abort', onAbort);
		signal.addEventListener('abort', onAbort, { once: true });
		dispatcher.dispatch(
			{
				...options,
				origin,
				path: pathname + search,
				headersTimeout: 0,
				bodyTimeout: 0,
			} as Dispatcher.DispatchOptions,
			{
				onRequestStart(controller) {
					abort = (reason) => controller.abort(reason);
					if (signal.aborted) onAbort();
				},
				onResponseStart(controller, statusCode, headers) {
					// Informational answers (103) come before the real one.
					if (statusCode < 200) return;
					body = new IncomingBody(controller, pace);
					resolve({ statusCode, headers, body });
				},
				onResponseData: (_controller, piece) => body?.push(piece),
				onResponseEnd() {
					over();
					body?.end();
				},
				onResponseError(_controller, error) {
					over();
					reject(error);
					body?.end(error);
				},
			},
		);
	});
}
