/** The Chat Trigger that started an execution. */
import type { INode, ISupplyDataFunctions } from 'n8n-workflow';
import { tryOrUndefined } from '../values/try-or-undefined';

/** What tells which trigger started an execution. */
export type ChatTriggerContext = Pick<
	ISupplyDataFunctions,
	'evaluateExpression' | 'getChatTrigger'
>;

/** The Chat Trigger of the workflow; undefined if there is none, or another trigger started the execution. */
export function getStartingChatTrigger(context: ChatTriggerContext): INode | undefined {
	const trigger = tryOrUndefined(() => context.getChatTrigger());
	if (!trigger) return undefined;
	// n8n adds the "=" itself.
	const expression = `{{ $(${JSON.stringify(trigger.name)}).isExecuted }}`;
	const isExecuted = tryOrUndefined(() => context.evaluateExpression(expression, 0)) === true;
	return isExecuted ? trigger : undefined;
}
