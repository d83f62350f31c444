import type { INode, INodePropertyOptions, NodeOperationError } from 'n8n-workflow';

import { describe } from '../../lib/errors/description';
import { toNodeError } from '../../lib/errors/node-error';
import { ServerError } from '../../lib/errors/server-error';

/** Looks like a hyphen, but the editor keeps it. */
const NON_BREAKING_HYPHEN = '\u2011';

/**
 * An error for a drop-down list. The editor shows only the message, so it has the whole text. The editor also replaces
 * hyphens by blanks (ResourceLocator.vue): `my-server --host` would become `my server host`. The box shows seven lines
 * before it scrolls, so repetitions are left out.
 */
export function listError(node: INode, error: unknown): NodeOperationError {
	const nodeError = toNodeError(node, error);
	nodeError.message = wholeText(error, nodeError).replaceAll('-', NON_BREAKING_HYPHEN);
	return nodeError;
}

/** Value of `failedListEntry`. It is no ID: who chooses it is told when the node runs. */
export const FAILED_LIST = 'failedList';

/**
 * The entry that stands for a list of `loadOptions` that failed. For an error there, the editor shows only "Error
 * fetching options from …" (ParameterInput.vue).
 */
export function failedListEntry(node: INode, error: unknown): INodePropertyOptions {
	return { name: wholeText(error, toNodeError(node, error)), value: FAILED_LIST };
}

function wholeText(error: unknown, { message }: NodeOperationError): string {
	return error instanceof ServerError ? describe(error, placeOf(error)) : message;
}

/** Empty where the text names the server already; undefined: the default address. */
function placeOf({ url, meaning }: ServerError): string | undefined {
	return url !== undefined && URL.canParse(url) && meaning.includes(new URL(url).host)
		? ''
		: undefined;
}
