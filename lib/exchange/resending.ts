/** Why and how often requests were sent again, as the execution log shows it. */
import type { Waits } from '../http/retry-policy';
import type { AppliedRule } from './types';

/** What an exchange did before its response was usable. */
export interface Resending {
	/** Why requests were sent again. */
	appliedRules: readonly AppliedRule[];
	/** How often requests were sent again after a pause. */
	waits: Readonly<Waits>;
}

const WAITS: ReadonlyArray<readonly [keyof Waits, string]> = [
	['busy', 'the server was busy'],
	['loading', 'the model was loading'],
	['connection', 'the connection failed'],
];

/**
 * A part of a sentence for each reason: pauses with their number, then rules.
 *
 * @param exchanges - One, or those of all batches.
 * @returns undefined if everything was sent once
 */
export function describeResending(exchanges: readonly Resending[]): string[] | undefined {
	const pauses = WAITS.flatMap(([reason, text]) => {
		const times = exchanges.reduce((sum, { waits }) => sum + waits[reason], 0);
		return times === 0 ? [] : [`${text}, ${times} ${times === 1 ? 'time' : 'times'}`];
	});
	const rules = exchanges.flatMap(({ appliedRules }) => appliedRules);
	const reasons = Map.groupBy(rules, ({ because }) => because);
	const repetitions = [...reasons].map(([because, { length: times }]) =>
		times === 1 ? because : `${because}, ${times} times`,
	);
	const all = [...pauses, ...repetitions];
	return all.length > 0 ? all : undefined;
}
