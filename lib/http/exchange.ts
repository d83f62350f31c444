import { IncomingBody, type Pace } from './incoming-body';
import type { Dispatcher } from '../vendor';

export interface ExchangeOptions {
	dispatcher: Dispatcher;
	method: string;
	headers: Record<string, string>;
	body?: Dispatcher.DispatchOptions['body'];
	signal: AbortSignal;
	/** A connection that is used for nothing else. */
	reset: boolean;
	/** How often the body is read at most. */
	pace?: Pace;
}

export interface Exchange {
	statusCode: number;
	headers: Record<string, string | string[] | undefined>;
	body: IncomingBody;
}

/**
 * One request, up to the headers of its answer. As undici's `request`, with a body that can be read at a pace. Limits
 * are kept by the Watchdog: undici's own 5 minutes are what breaks slow generations.
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
			// undici looks at it only when its connection is made, which takes up to 10 s where packets are dropped.
			reject(signal.reason as Error);
			abort?.(signal.reason as Error);
		};
		const over = () => signal.removeEventListener('abort', onAbort);
		signal.addEventListener('abort', onAbort, { once: true });
		dispatcher.dispatch(
			{ ...options, origin, path: pathname + search, headersTimeout: 0, bodyTimeout: 0 } as Dispatcher.DispatchOptions,
			{
				onRequestStart(controller) {
					abort = (reason) => controller.abort(reason);
					if (signal.aborted) onAbort();
				},
				onResponseStart(controller, statusCode, headers) {
					// An announcement (103) comes before the answer.
					if (statusCode < 200) return;
					body = new IncomingBody(
						{
							pause: () => controller.pause(),
							resume: () => controller.resume(),
							abort: (reason) => controller.abort(reason),
						},
						pace,
					);
					resolve({ statusCode, headers, body });
				},
				onResponseData: (_controller, piece) => body?.push(piece),
				onResponseEnd() {
					over();
					body?.end();
				},
				onResponseError(_controller, error) {
					over();
					if (isStream(options.body)) options.body.destroy(error);
					reject(error);
					body?.fail(error);
				},
			},
		);
	});
}

function isStream(body: unknown): body is { destroy(error: Error): void } {
	return typeof body === 'object' && body !== null && 'destroy' in body && typeof body.destroy === 'function';
}
