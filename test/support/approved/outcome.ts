/** What became of a call, as an approved table shows it: its value, or the facts of its error. */
import type { Finding } from '../../../lib/health/check-result';
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

/** The facts of an error, as a table shows them: its words are in the table of texts alone. */
export function describeError(error: unknown): string {
	if (!(error instanceof ServerError)) return `! ${String(error)}`;
	const { type, message, detail, field, inputProblem, status, facts } = error;
	// That a second try failed as well is a fact of its own.
	const { suggestion } = error.copyWith({ wasSentTwice: undefined });
	const says = error.isServerText === true ? message : (error.serverText ?? '');
	const own = error.isServerText === true ? '' : message;
	const values = findValues([own, detail === message ? '' : detail].join(' '));
	const parts = {
		status,
		field: field && [field, inputProblem].filter(Boolean).join(', '),
		says: says.slice(0, MAX_SAID),
		values: values.join(', '),
		facts: JSON.stringify(facts) === '{}' ? '' : JSON.stringify(facts),
		again: error.retryable || '',
	};
	return joinFacts(`! ${type}${markWords([own, detail, suggestion])}`, parts);
}

/** Characters of what a server said. */
const MAX_SAID = 60;

/** What tables show of an error of n8n. */
interface NodeFailure extends Error {
	description?: string | null;
	type?: unknown;
	context?: { itemIndex?: number; data?: Readonly<Record<string, unknown>> };
}

/** What an error says of other items, which has its own test. */
const FINISHED = / ?\d+ of \d+ items were finished[^]*$/;

/** The facts of an error as n8n has it, in the same form. */
export function describeNodeError(thrown: unknown): string {
	const { message, description, type: ownType, context } = thrown as NodeFailure;
	const {
		type = ownType,
		serverText,
		url: _address,
		result: _result,
		// Results of other items, which have their own test.
		finished: _finished,
		description: told,
		...more
	} = context?.data ?? {};
	const facts = typeof told === 'string' ? { ...more, told: `it${markWords([told])}` } : more;
	const parts = {
		item: context?.itemIndex,
		says: String(serverText ?? '').slice(0, MAX_SAID),
		values: findValues(message).join(', '),
		facts: Object.keys(facts).length === 0 ? '' : JSON.stringify(facts),
	};
	return joinFacts(
		`! ${String(type)}${markWords([message, (description ?? '').replace(FINISHED, '')])}`,
		parts,
	);
}

/** A value with the errors in it as facts: an item of a node that goes on. */
export function withoutWords(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(withoutWords);
	if (typeof value !== 'object' || value === null) return value;
	const { message, description, suggestion, type, ...rest } = value as Record<string, unknown>;
	if (isFinding(value)) return describeFinding(value);
	const isError = typeof message === 'string' && typeof type === 'string';
	const entries = Object.entries(isError ? rest : value);
	return {
		...(isError && {
			type: `${type}${markWords([message, String(description ?? suggestion ?? '')])}`,
		}),
		...Object.fromEntries(entries.map(([name, inner]) => [name, withoutWords(inner)])),
	};
}

/** A value without how long a generation took: the `seconds` in its metadata are those of this machine. */
export function withoutTimes(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(withoutTimes);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, inner]: [string, unknown]) => {
			if (name !== 'metadata' || typeof inner !== 'object' || inner === null)
				return [name, withoutTimes(inner)];
			const { seconds: _seconds, ...metadata } = inner as Record<string, unknown>;
			return [name, metadata];
		}),
	);
}

const isFinding = (value: object): value is Finding => 'severity' in value && 'observed' in value;

/** A finding of a check: what it says is in its words alone, but for its values. */
export function describeFinding({ id, severity, observed, detail, suggestion }: Finding): string {
	const values = findValues(detail).join(', ');
	return joinFacts(`${severity} ${id}${markWords([detail, suggestion])}`, { observed, values });
}

function joinFacts(start: string, parts: Readonly<Record<string, unknown>>): string {
	const known = Object.entries(parts).filter(([, value]) => value !== undefined && value !== '');
	return [start, ...known.map(([name, value]) => `${name} ${String(value)}`)].join(' | ');
}

/** Names in quotation marks, labels in parentheses, addresses, wrong values and numbers: what a sentence says beside its words. */
const VALUES =
	/"[^"]*"|https?:\/\/\S+|\([A-Z][\w-]*(?: [A-Z][\w-]*)*\)|(?<=\bbut is )\S.*?(?=$|[.;] )|(?<!\w)\d+(?:[.,:]\d+)*/g;

export const findValues = (text: string): string[] => [...new Set(text.match(VALUES))];

/** Words of an error within a row, between signs that no row contains. `expectApproved` writes their number instead. */
export const markWords = (texts: readonly string[]): string =>
	`⟦${texts.join(' ').replace(VALUES, '…')}⟧`;

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
