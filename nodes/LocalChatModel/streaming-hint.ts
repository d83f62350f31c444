/** The hint about a chat that could stream and does not. */
import type { ISupplyDataFunctions } from 'n8n-workflow';
import { NOTICEABLE_WAIT_MS } from '../shared/items/watch-loading';
import { asRecord } from '../../lib/values/records';
import { getStartingChatTrigger } from '../../lib/n8n/chat-trigger';

type Context = Pick<ISupplyDataFunctions, 'evaluateExpression' | 'getChatTrigger'> & {
	isStreaming?(): boolean;
};

/**
 * Suggests to enable streaming if a chat stayed empty while its response was generated. Undefined if that took little
 * time, if the response was streamed, and if the execution did not start in a chat.
 */
export function getStreamingHint(context: Context, totalMs: number): string | undefined {
	if (totalMs <= NOTICEABLE_WAIT_MS || context.isStreaming?.() !== false) return undefined;
	const trigger = getStartingChatTrigger(context);
	if (!trigger) return undefined;
	const { responseMode } = asRecord(trigger.parameters.options);
	if (responseMode !== undefined && responseMode !== 'lastNode') return undefined;
	return `The chat showed nothing for ${Math.round(totalMs / 1000)} seconds. In "${trigger.name}", set Options → Response Mode to Streaming, so that the AI Agent streams its response.`;
}
