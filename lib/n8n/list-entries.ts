import type {
	INode,
	INodeListSearchResult,
	INodePropertyOptions,
	NodeOperationError,
} from 'n8n-workflow';
import { omitUndefined } from '../values/records';
import { toPlainText, ZERO_WIDTH_SPACE } from '../values/safe-text';
import { toNodeError } from '../errors/node-error';
import { describeError } from '../errors/describe-error';
import { ServerError } from '../errors/server-error';

type Entries = INodeListSearchResult['results'];

/** Whether n8n would run a value as an expression. */
export function isExpression(value: unknown): boolean {
	return typeof value === 'string' && value.startsWith('=');
}

/** The name from a server as plain text: n8n stores names in the parameters, and would run expressions there. */
export function toPlainName(name: string): string {
	const text = toPlainText(name);
	return isExpression(text) ? ZERO_WIDTH_SPACE + text : text;
}

/** List entries from a server for the editor: names become plain text, values that are expressions are removed. */
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
 * hyphens with spaces (ResourceLocator.vue): `my-server --host` would become `my server host`. The box shows seven
 * lines before it scrolls, so repetitions are omitted.
 */
export function createListError(node: INode, error: unknown): NodeOperationError {
	const nodeError = toNodeError(node, error);
	nodeError.message = getFullText(error, nodeError).replaceAll('-', NON_BREAKING_HYPHEN);
	return nodeError;
}

/** Value of the failed entry. It is not an ID, so the node reports an error if it is selected. */
export const FAILED_LIST = 'failedList';

/**
 * The entry that replaces a list of `loadOptions` if it cannot be loaded. For an error there, the editor shows only
 * "Error fetching options from …" (ParameterInput.vue).
 */
export function createFailedListEntry(node: INode, error: unknown): INodePropertyOptions {
	return { name: getFullText(error, toNodeError(node, error)), value: FAILED_LIST };
}

function getFullText(error: unknown, { message }: NodeOperationError) {
	return error instanceof ServerError ? describeError(error, getLocation(error)) : message;
}

/** Empty if the text names the server already; undefined: the default address. */
function getLocation({ url, detail }: ServerError): string | undefined {
	return url !== undefined && URL.canParse(url) && detail.includes(new URL(url).host)
		? ''
		: undefined;
}
