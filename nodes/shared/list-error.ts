import type { INode, NodeOperationError } from 'n8n-workflow';

import { describe } from '../../lib/errors/description';
import { toNodeError, type NodeErrorOptions } from '../../lib/errors/node-error';
import { ServerError } from '../../lib/errors/server-error';

/** Looks like a hyphen, but the editor leaves it alone. */
const NON_BREAKING_HYPHEN = '\u2011';

/**
 * An error as a drop-down list can show it. The editor shows the message only, so the whole text goes into it; and it
 * takes a message apart at its hyphens and joins the parts with blanks (ResourceLocator.vue), which would make
 * `my-server --host` out of it `my server host`. The box shows seven lines and hides the others behind scrolling: what
 * is said twice is left out.
 */
export function listError(node: INode, error: unknown, options?: NodeErrorOptions): NodeOperationError {
	const nodeError = toNodeError(node, error, options);
	const whole = error instanceof ServerError ? describe(error, placeOf(error)) : nodeError.message;
	nodeError.message = whole.replaceAll('-', NON_BREAKING_HYPHEN);
	return nodeError;
}

/** The address, unless the text names the server already. */
function placeOf({ url, meaning }: ServerError): string | undefined {
	return url !== undefined && URL.canParse(url) && meaning.includes(new URL(url).host) ? '' : undefined;
}
