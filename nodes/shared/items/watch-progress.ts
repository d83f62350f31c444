/**
 * The progress of a run with many items. n8n 2.41 shows nothing of a node until it ends, but for the console of the browser in
 * manual executions (docs/decisions.md): one line for each percent.
 */
import type { IExecuteFunctions } from 'n8n-workflow';
import { tryOrUndefined } from '../../../lib/values/try-or-undefined';

/** Items that are finished. */
export interface FinishedCount {
	/** More than one if they were processed together. */
	items: number;
	hasFailed: boolean;
}

/** Counts finished items. */
export type CountFinished = (finished: FinishedCount) => void;

/** Lines of a run at most. */
const MAX_LINES = 100;

/**
 * Starts to report a run.
 *
 * @param total number of its items; one alone has no progress
 */
export function watchProgress(
	context: Pick<IExecuteFunctions, 'sendMessageToUI'>,
	total: number,
): CountFinished {
	let count = 0;
	let failures = 0;
	let line = 0;
	return ({ items, hasFailed }) => {
		count += items;
		if (hasFailed) failures += items;
		const reached = Math.floor((count * Math.min(MAX_LINES, total)) / total);
		if (total < 2 || reached === line) return;
		line = reached;
		const failed = failures > 0 ? `, ${failures} of them failed` : '';
		tryOrUndefined(() => context.sendMessageToUI(`${count} of ${total} items finished${failed}`));
	};
}
