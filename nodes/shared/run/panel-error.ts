import { isToolType, type IExecuteFunctions, type NodeOperationError } from 'n8n-workflow';

type Context = Pick<IExecuteFunctions, 'getNode'> & Partial<Pick<IExecuteFunctions, 'isStreaming'>>;

/**
 * The error as the panel shows it: n8n puts the title above the description, so the description does not begin with it.
 * A streamed chat shows the description alone (n8n-core, workflow-execute.ts), which then keeps it. Tools do not stream,
 * and cannot always be asked.
 */
export function panelError(context: Context, error: NodeOperationError): NodeOperationError {
	const isTool = isToolType(context.getNode().type);
	if (isTool || context.isStreaming?.() !== true) error.description = withoutTitle(error);
	return error;
}

/** What ends a title in a description: a stop, or the address in brackets. */
const END_OF_TITLE = /^(?: \((\S+)\))?[.!?…:]["')”]? ?/;

/** The description without the title; the address behind that stays. */
export function withoutTitle({
	message,
	description,
}: Pick<NodeOperationError, 'message' | 'description'>): NodeOperationError['description'] {
	if (!description?.startsWith(message)) return description;
	const behind = description.slice(message.length);
	if (behind === '') return '';
	const [end, address] = END_OF_TITLE.exec(behind) ?? [];
	if (end === undefined) return description;
	const rest = behind.slice(end.length);
	return address === undefined ? rest : `At ${address}. ${rest}`.trim();
}
