import type { INode, ISupplyDataFunctions } from 'n8n-workflow';

import { quietly } from '../../../lib/values';

/** After so long without a word, people take a chat for broken. */
const LONG_MS = 5_000;

type Context = Pick<ISupplyDataFunctions, 'evaluateExpression' | 'getChatTrigger'> & {
	isStreaming?(): boolean;
};

/**
 * What to set where a chat showed nothing while its answer was made. Undefined where nobody waited for long, where the
 * answer was typed, and where the execution did not begin in a chat.
 */
export function unstreamedHint(context: Context, totalMs: number): string | undefined {
	if (totalMs <= LONG_MS || context.isStreaming?.() !== false) return undefined;
	const trigger = quietly(() => context.getChatTrigger());
	if (!trigger || !waitsForTheEnd(trigger) || !isExecuted(context, trigger)) return undefined;
	return `The chat showed nothing for ${Math.round(totalMs / 1000)} seconds. In "${trigger.name}", set Options → Response Mode to Streaming: an AI Agent then types its answer while it is made.`;
}

/** Whether the Chat Trigger answers when the last node has finished, as it does unless told otherwise. */
function waitsForTheEnd({ parameters }: INode): boolean {
	const { responseMode = 'lastNode' } = (parameters.options ?? {}) as { responseMode?: string };
	return responseMode === 'lastNode';
}

function isExecuted(context: Context, { name }: INode): boolean {
	// n8n puts the "=" in front itself.
	const expression = `{{ $(${JSON.stringify(name)}).isExecuted }}`;
	return quietly(() => context.evaluateExpression(expression, 0)) === true;
}
