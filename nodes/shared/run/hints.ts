import type { IExecuteFunctions, NodeExecutionHint } from 'n8n-workflow';

import type { ServerError } from '../../../lib/errors/server-error';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { toPlainText } from '../../../lib/values/safe-text';

type Context = Pick<IExecuteFunctions, 'addExecutionHints'>;

/** Hints already shown at a node, by the context of its run. */
const hintsByContext = new WeakMap<Context, Set<string>>();

/** Shows a hint at the node, once per run. */
export function addHintOnce(
	context: Context,
	message: string,
	type: NodeExecutionHint['type'] = 'warning',
): void {
	const hints = hintsByContext.get(context) ?? new Set();
	hintsByContext.set(context, hints);
	if (hints.has(message)) return;
	hints.add(message);
	context.addExecutionHints({ message: toPlainText(message), location: 'outputPane', type });
}

/** After this time without output, users assume that a chat is broken. */
export const NOTICEABLE_WAIT_MS = 5_000;

/** Ends the report of a loading model: with the error, if the request failed. */
type EndReport = (waitedMs: number, error?: ServerError) => void;

/**
 * Reports, once, that requests to the server wait noticeably for a loading model. The node shows a hint at its end.
 *
 * @param begin Begins another report, which lasts until the model is loaded
 */
export function watchLoading(
	context: Context,
	server: ModelServer,
	begin: () => EndReport = () => () => {},
): ModelServer {
	let end: EndReport | undefined;
	let since: number | undefined;
	server.onLoading = (waitedMs) => {
		if (since !== undefined || waitedMs < NOTICEABLE_WAIT_MS) return;
		since = performance.now() - waitedMs;
		end = begin();
		addHintOnce(context, 'The model was still loading, so the response took longer.');
	};
	server.onLoaded = (error) => {
		end?.(performance.now() - since!, error);
		end = undefined;
	};
	return server;
}
