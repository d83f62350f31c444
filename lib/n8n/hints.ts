/**
 * The bridge to n8n itself: everything that is true of n8n and of no node. What comes in: a context of n8n, and what a node has
 * to say or to store. What goes out: its Stop (`cancel-poller.ts`), the trigger of the execution (`chat-trigger.ts`), hints,
 * entries of a sub-node in the log (`sub-node-log.ts`), tokens of an execution (`token-totals.ts`), files (`binary.ts`), those
 * of its trigger (`trigger-files.ts`) and which were not sent (`run-losses.ts`), text in a chat (`chat-stream.ts`), entries of
 * a list (`list-entries.ts`), expressions as they were written (`written-fields.ts`, `fixed-expressions.ts`, `empty-expressions.ts`, `model-fields.ts`), and an error as its owner and as a
 * visitor of a chat read it (`shown-error.ts`, `visitor-message.ts`). What it remembers: the hints that a run of a node has
 * shown, here, and the open entries of a log. The totals of tokens are data of the execution, which n8n stores.
 *
 * This file has the hints.
 */
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
