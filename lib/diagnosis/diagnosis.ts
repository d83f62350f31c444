/** A row of the table of diagnoses. */
import type { ErrorType } from '../errors/error-types';
import type { ServerErrorChanges } from '../errors/server-error';
import type { Facts } from './facts';

/** What changes in an error of which more is known; a text is a suggestion. */
export type Advice =
	| string
	| Pick<ServerErrorChanges, 'type' | 'ownTitle' | 'detail' | 'suggestion' | 'facts'>;

/** A cause, or what helps. */
export interface Diagnosis<Name extends keyof Facts = keyof Facts> {
	/** The errors that it may explain. */
	types: readonly ErrorType[];
	/** Without one of these, the row does not apply. In this order, since some have to be requested. */
	needs: readonly Name[];
	/**
	 * @param facts - Those that the row needs, and no others.
	 * @returns undefined if the facts say that it is something else
	 */
	advise(facts: Pick<Facts, Name>): Advice | undefined;
}

/** A row: the compiler gives `advise` the facts that it needs. */
export function defineDiagnosis<const Name extends keyof Facts>(
	diagnosis: Diagnosis<Name>,
): Diagnosis {
	return diagnosis;
}
