/** Hints of a run of a node, each shown once. */
import type { IExecuteFunctions, NodeExecutionHint } from 'n8n-workflow';
import { composeText } from '../values/safe-text';

/** What shows hints. */
export type HintContext = Pick<IExecuteFunctions, 'addExecutionHints'>;

/** Hints already shown at a node, by the context of its run. */
const hintsByContext = new WeakMap<HintContext, Set<string>>();

/**
 * Shows a hint at the node, once per run.
 *
 * @param message shown as plain text: its Markdown and HTML have no effect
 */
export function addHintOnce(
	context: HintContext,
	message: string,
	type: NodeExecutionHint['type'] = 'warning',
): void {
	const hints = hintsByContext.get(context) ?? new Set();
	hintsByContext.set(context, hints);
	if (hints.has(message)) return;
	hints.add(message);
	context.addExecutionHints({
		message: composeText(message),
		location: 'outputPane',
		type,
	});
}
