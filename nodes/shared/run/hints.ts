import type { IExecuteFunctions, NodeExecutionHint } from 'n8n-workflow';

import { toPlainText } from '../../../lib/values';

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
