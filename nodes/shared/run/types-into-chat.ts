import { isToolType, type IExecuteFunctions } from 'n8n-workflow';

/**
 * Whether to stream into the workflow's chat. Not as a tool, which answers to an agent: n8n runs a tool in an ordinary
 * context, so the node's type tells (as in n8n's own Chat node). In n8n 2.20 the context of a tool cannot be asked at
 * all.
 */
export function typesIntoChat(context: IExecuteFunctions): boolean {
	return !isToolType(context.getNode().type) && context.isStreaming();
}
