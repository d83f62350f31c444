import type {
	INode,
	INodeListSearchResult,
	INodePropertyOptions,
	NodeOperationError,
} from 'n8n-workflow';
import { omitUndefined, toPlainText, ZERO_WIDTH_SPACE } from '../../lib/values';
import { describeError } from '../../lib/errors/describe-error';
import { toNodeError } from '../../lib/errors/node-error';
import { ServerError } from '../../lib/errors/server-error';

type Entries = INodeListSearchResult['results'];

/** Whether n8n would take a value for an expression and run it. */
export function isExpression(value: unknown): boolean {
	return typeof value === 'string' && value.startsWith('=');
}

/** A name that comes from a server, as text: n8n stores names among the parameters, and would run an expression there. */
export function toPlainName(name: string): string {
	const text = toPlainText(name);
	return isExpression(text) ? ZERO_WIDTH_SPACE + text : text;
}

/** The entries of a list in the editor, which come from a server: names are text, and values no expressions. */
export function toListEntries(entries: Entries): Entries {
	return entries
		.filter(({ value }) => !isExpression(value))
		.map(({ name, description, ...entry }) => ({
			...entry,
			name: toPlainName(name),
			...omitUndefined({ description: description && toPlainText(description) }),
		}));
}

/** Looks like a hyphen, but the editor keeps it. */
const NON_BREAKING_HYPHEN = '\u2011';

/**
 * An error for a drop-down list. The editor shows only the message, so it has the whole text. The editor also replaces
 * hyphens by blanks (ResourceLocator.vue): `my-server --host` would become `my server host`. The box shows seven lines
 * before it scrolls, so repetitions are left out.
 */
export function createListError(node: INode, error: unknown): NodeOperationError {
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
export function createFailedListEntry(node: INode, error: unknown): INodePropertyOptions {
	return { name: wholeText(error, toNodeError(node, error)), value: FAILED_LIST };
}

function wholeText(error: unknown, { message }: NodeOperationError): string {
	return error instanceof ServerError ? describeError(error, placeOf(error)) : message;
}

/** Empty where the text names the server already; undefined: the default address. */
function placeOf({ url, detail }: ServerError): string | undefined {
	return url !== undefined && URL.canParse(url) && detail.includes(new URL(url).host)
		? ''
		: undefined;
}
