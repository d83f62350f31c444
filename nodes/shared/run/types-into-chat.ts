import { isToolType, type IExecuteFunctions } from 'n8n-workflow';

/**
 * Whether the chat in front of the workflow wants to be typed into. As a tool the node answers to an agent, not to the
 * chat: n8n runs a tool in an ordinary context, so the type of the node tells (as in n8n's own Chat node). The contexts
 * of tools in n8n 2.20 cannot be asked at all.
 */
export function typesIntoChat(context: IExecuteFunctions): boolean {
	return !isToolType(context.getNode().type) && context.isStreaming();
}
