/** A row of the table of what is told: it has its facts, and its words. */
import type { ErrorType } from '../error-types';
import type { Facts } from '../facts';

/** The words of a row, without those that stay as they are. */
export interface Words {
	/** What happened in a few words, for who does not read the sentence of a server. */
	title?: string;
	/** What happened in full. Default: the title. */
	detail?: string;
	/** What to do about it. */
	suggestion?: string;
}

/** What is told of failures whose facts are known. */
export interface Row<Name extends keyof Facts = keyof Facts> {
	/** Of which it tells. */
	types: readonly ErrorType[];
	/** Without one of these, the row does not apply. In this order, since some have to be requested. */
	needs: readonly Name[];
	/** The type that these facts show. Default: it stays. */
	becomes?: ErrorType;
	/**
	 * A text is what to do.
	 *
	 * @param facts - Those that the row needs, and no others.
	 * @param general - What to do about any failure of the type.
	 * @returns undefined if the facts say that it is something else
	 */
	tell(facts: Pick<Facts, Name>, general: string): Words | string | undefined;
	/** Public details of the item. */
	getOutput?(facts: Pick<Facts, Name>): Readonly<Record<string, unknown>>;
}

/** A row: the compiler gives `tell` the facts that it needs. */
export function defineRow<const Name extends keyof Facts>(row: Row<Name>): Row {
	return row;
}
