/** What became of a call, as an approved table shows it: its value, or what a user reads of its error. */
import { ServerError } from '../../../lib/errors/server-error';

/** The value of a call, or its error as one text. */
export function getOutcome(run: () => unknown): unknown {
	try {
		return run();
	} catch (error) {
		return describeError(error);
	}
}

/** The result of a promise, or its error as one text. */
export async function awaitOutcome(run: () => Promise<unknown>): Promise<unknown> {
	return await run().catch(describeError);
}

/** Type, title, field, advice and facts of an error. */
export function describeError(error: unknown): string {
	if (!(error instanceof ServerError)) return `! ${String(error)}`;
	const { type, message, detail, suggestion, field, inputProblem, status, facts } = error;
	const parts = {
		status,
		field: field && [field, inputProblem].filter(Boolean).join(', '),
		detail: detail === message ? undefined : detail,
		facts: JSON.stringify(facts) === '{}' ? undefined : JSON.stringify(facts),
		advice: suggestion,
		again: error.retryable || undefined,
	};
	const known = Object.entries(parts).filter(([, value]) => value !== undefined && value !== '');
	return [`! ${type}: ${message}`, ...known.map(([name, value]) => `${name} ${value}`)].join(' | ');
}

/** All combinations of one value of each list, in the order of the lists. */
export function combine<const T extends Readonly<Record<string, readonly unknown[]>>>(
	lists: T,
): Array<{ -readonly [Name in keyof T]: T[Name][number] }> {
	let combinations: Array<Record<string, unknown>> = [{}];
	for (const [name, values] of Object.entries(lists))
		combinations = combinations.flatMap((one) =>
			values.map((value) => ({ ...one, [name]: value })),
		);
	return combinations as Array<{ -readonly [Name in keyof T]: T[Name][number] }>;
}
