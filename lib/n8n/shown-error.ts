/** Errors as n8n shows them: in the panel of a node, and in a chat. */
import type { IExecuteFunctions, NodeOperationError } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import { toOwnerChatText } from '../errors/describe-error';
import { hasEnd } from '../errors/sentences';
import { ServerError } from '../errors/server-error';
import type { Execution } from './visitor-message';
import { hideDetailsFromVisitors } from './visitor-message';

type Context = Execution & Pick<IExecuteFunctions, 'getNode'>;

/**
 * The error as n8n shows it. Visitors of a chat get one sentence (`visitor-message.ts`), and the owner all of it in the
 * panel: n8n puts the title above the description, so the description does not begin with it.
 * A streamed chat shows the description alone (n8n-core, workflow-execute.ts), so there the panel gets its own text, which
 * n8n prefers. In n8n 2.20, sub-nodes cannot detect streaming, so they assume it.
 *
 * @param reason - The error that became `error`.
 */
export function toShownError(
	context: Context,
	error: NodeOperationError,
	reason: unknown,
): NodeOperationError {
	const panelText = stripTitle(error);
	const isTool = isToolType(context.getNode().type);
	// The message of a tool's error is for the model: without a description, nothing more is shown to visitors.
	const isEmpty = isTool && !panelText;
	if (!isEmpty && hideDetailsFromVisitors(context, error, panelText)) return error;
	if (isTool || context.isStreaming?.() === false) {
		error.description = panelText;
		return error;
	}
	if (reason instanceof ServerError) error.description = toOwnerChatText(reason);
	error.context.descriptionTemplate = panelText;
	return error;
}

/** An error of a poll: the panel shows the title above the description. */
export function toPollError(error: NodeOperationError): NodeOperationError {
	error.description = stripTitle(error);
	return error;
}

/** The description without the title. */
export function stripTitle({
	message,
	description,
}: Pick<NodeOperationError, 'message' | 'description'>): string | null | undefined {
	if (!description?.startsWith(message)) return description;
	const remainder = description.slice(message.length);
	const end = hasEnd(message) ? /^ / : /^[.!?…:]["')”]? ?/;
	const stripped = remainder.replace(end, '');
	return stripped === remainder && remainder !== '' ? description : stripped;
}
