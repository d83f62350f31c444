import type { IExecuteFunctions, NodeExecutionHint } from 'n8n-workflow';

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

/** Reports, once, that requests to the server wait noticeably for a loading model. The node shows a hint at its end. */
export function watchLoading(
	context: Context,
	server: ModelServer,
	report = (): void => {},
): ModelServer {
	let isReported = false;
	server.onLoading = (waitedMs) => {
		if (isReported || waitedMs < NOTICEABLE_WAIT_MS) return;
		isReported = true;
		report();
		addHintOnce(context, 'The model was still loading, so the response took longer.');
	};
	return server;
}
