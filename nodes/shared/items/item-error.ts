import type { IExecuteFunctions } from 'n8n-workflow';
import { getErrorMessage } from '../../../lib/values/text';

/** What is known about the error of an item. */
export interface ItemErrorDetails {
	/** Further fields of the failed item. */
	facts?: object;
	/** Whether a value of the node is wrong, so that every item fails alike. Default: no. */
	isOfNode?: boolean;
}

/** The error of one item, in an operation that processes all items together. */
export class ItemError extends Error {
	readonly facts: object;
	readonly isOfNode: boolean;

	constructor(
		readonly itemIndex: number,
		readonly reason: unknown,
		{ facts = {}, isOfNode = false }: ItemErrorDetails = {},
	) {
		super(getErrorMessage(reason));
		this.facts = facts;
		this.isOfNode = isOfNode;
	}
}

/** What a call says about its run. */
interface ItemRun {
	context: Pick<IExecuteFunctions, 'continueOnFail'>;
	/** Aborts when the execution is stopped, or when another item has failed and the node with it. */
	signal: AbortSignal;
}

/** Why an item failed. */
interface ItemFailure {
	itemIndex: number;
	/** The error, of any type. An `ItemError` is kept. */
	reason: unknown;
	/** Further fields of the failed item. */
	facts?: object;
}

/**
 * The error of an item for the results, if the node continues on errors and is not stopped.
 *
 * @throws this error otherwise.
 */
export function toItemErrorOrThrow(
	{ context, signal }: ItemRun,
	{ itemIndex, reason, facts }: ItemFailure,
): ItemError {
	const error = reason instanceof ItemError ? reason : new ItemError(itemIndex, reason, { facts });
	if (context.continueOnFail() && !signal.aborted) return error;
	throw error;
}
