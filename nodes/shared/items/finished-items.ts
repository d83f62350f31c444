/** What a run had finished when one of its items failed, and the node with it. */
import type { NodeOperationError } from 'n8n-workflow';
import { mask } from '../../../lib/errors/mask';
import { parseJson } from '../../../lib/values/json';
import { asRecord } from '../../../lib/values/records';

/** The result of an item. */
export interface FinishedItem {
	/** Number of the input item, from 1, as the title of the error counts. */
	item: number;
	/** Without files. */
	json: object;
}

/** The finished part of a run. */
export interface FinishedRun {
	items: readonly FinishedItem[];
	/** Input items of the run. */
	total: number;
	/** Of the credentials. */
	secrets: readonly string[];
}

/** Characters of all finished results in the details of an error: n8n stores and shows them with the execution. */
export const MAX_FINISHED_LENGTH = 1024 * 1024;

/**
 * Adds the finished results to the details of the error, and what keeps them next time to its text: n8n discards the output of a
 * node that fails.
 */
export function addFinishedItems(error: NodeOperationError, run: FinishedRun): void {
	const { items, total } = run;
	const [first] = items;
	if (first === undefined || total < 2) return;
	const results = toResults(run);
	const omitted = items.length - results.length;
	error.context.data = {
		...asRecord(error.context.data),
		finished: results,
		...(omitted > 0 && { finishedOmitted: omitted }),
	};
	const { descriptionTemplate: template } = error.context;
	const text = describeFinishedItems(new Set(items.map(({ item }) => item)).size, total);
	// The panel prefers the template; a description beside it is that of a chat.
	if (typeof template === 'string')
		error.context.descriptionTemplate = `${template} ${text}`.trim();
	else error.description = `${error.description ?? ''} ${text}`.trim();
}

/** As many as fit. */
function toResults({ items, secrets }: FinishedRun): object[] {
	const results: object[] = [];
	let length = 0;
	for (const { item, json } of items) {
		const text = mask(JSON.stringify(json), secrets);
		length += text.length;
		if (length > MAX_FINISHED_LENGTH) break;
		results.push({ item, json: parseJson(text) ?? text });
	}
	return results;
}

function describeFinishedItems(finished: number, total: number): string {
	const subject = finished === 1 ? '1 of' : `${finished} of`;
	return `${subject} ${total} items were finished, and their results are in the details of this error, in the field finished. To keep results when an item fails, set On Error to Continue in the settings of the node. For long runs, use the example Overnight batch, which saves every few rows.`;
}
