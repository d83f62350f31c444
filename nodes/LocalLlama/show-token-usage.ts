import * as workflow from 'n8n-workflow';
import type { Usage } from '../../lib/chat/chat-result';
import { tryOrUndefined } from '../../lib/values/try-or-undefined';
import type { LlamaCall } from './run-local-llama';

/**
 * Adds tokens to the usage that n8n shows at the node. n8n before 2.41 does not sum them, and a tool's context may lack
 * the method: errors are ignored.
 */
export function showTokenUsage(
	{ context }: LlamaCall,
	{ promptTokens, completionTokens }: Pick<Usage, 'promptTokens' | 'completionTokens'>,
): void {
	const { accumulateTokenUsage: add } = workflow as Partial<typeof workflow>;
	tryOrUndefined(() => add?.(context, promptTokens, completionTokens));
}
