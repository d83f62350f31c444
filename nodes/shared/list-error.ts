import type { INode, NodeOperationError } from 'n8n-workflow';

import { describe } from '../../lib/errors/description';
import { toNodeError, type NodeErrorOptions } from '../../lib/errors/node-error';
import { ServerError } from '../../lib/errors/server-error';

/** Looks like a hyphen, but the editor keeps it. */
const NON_BREAKING_HYPHEN = '\u2011';

/**
 * An error for a drop-down list. The editor shows only the message, so it has the whole text. The editor also replaces
 * hyphens by blanks (ResourceLocator.vue): `my-server --host` would become `my server host`. The box shows seven lines
 * before it scrolls, so repetitions are left out.
 */
export function listError(
	node: INode,
	error: unknown,
	options?: NodeErrorOptions,
): NodeOperationError {
	const nodeError = toNodeError(node, error, options);
	const whole = error instanceof ServerError ? describe(error, placeOf(error)) : nodeError.message;
	nodeError.message = whole.replaceAll('-', NON_BREAKING_HYPHEN);
	return nodeError;
}

/** Empty where the text names the server already; undefined: the default address. */
function placeOf({ url, meaning }: ServerError): string | undefined {
	return url !== undefined && URL.canParse(url) && meaning.includes(new URL(url).host)
		? ''
		: undefined;
}
