/** The table of rows that fail: how it is compared with what was found, and how it is written. */
import * as fs from 'node:fs';
import type { Difference, Finding, Row } from './play';

/** What differs at an error response, and why. */
export interface KnownRow {
	response: string;
	differs: Difference;
	/** All that the response is played to, or some; `once`: if the server fails once only. */
	operations: 'all' | readonly string[];
	/** The rule that reads the words. */
	reason: string;
	/** The mechanism that will mend it. */
	mendedBy: string;
}

const MENDED_BY: Readonly<Record<Difference, string>> = {
	request: 'sent again by facts',
	item: 'sent again by facts',
	'learned state': 'lessons only from changed requests that succeed',
	sentence: "the server's first sentence is the title",
	advice: 'advice that needs facts',
};

const describeOperation = ({ subject, times }: Row): string =>
	`${subject.operation.name}${times === 'once' ? ' (once)' : ''}`;

function describeReason({ difference, types: [recorded, reworded] }: Finding): string {
	if (difference === 'sentence') return `${recorded || reworded} has a title of its own`;
	if (recorded === reworded) return 'a pattern reads the sentence';
	return `its words make it ${recorded || 'no error'}, other words ${reworded || 'no error'}`;
}

type Found = ReadonlyMap<Row, readonly Finding[]>;

const toKey = (response: string, differs: Difference, operation: string): string =>
	[response, differs, operation].join(' | ');

/** Rows that fail and are not in the table, and those of the table that pass. */
export function findProblems(found: Found, known: readonly KnownRow[]): string[] {
	const some = new Set(
		known.flatMap(({ response, differs, operations }) =>
			operations === 'all'
				? []
				: operations.map((operation) => toKey(response, differs, operation)),
		),
	);
	const all = new Set(
		known
			.filter(({ operations }) => operations === 'all')
			.map(({ response, differs }) => `${response} | ${differs}`),
	);
	const listed = {
		has: (key: string): boolean => some.has(key) || all.has(key.slice(0, key.lastIndexOf(' | '))),
	};
	return [...found].flatMap(([row, findings]) => {
		const toOwnKey = (differs: Difference): string =>
			toKey(row.response.name, differs, describeOperation(row));
		const failing = new Set(findings.map(({ difference }) => toOwnKey(difference)));
		const unlisted = findings
			.filter(({ difference }) => !listed.has(toOwnKey(difference)))
			.map(
				({ difference, details, types }) =>
					`${toOwnKey(difference)} (${types.join(' → ')}): ${describeDetails(details)}`,
			);
		const passing = Object.keys(MENDED_BY)
			.map((differs) => toOwnKey(differs as Difference))
			.filter((key) => listed.has(key) && !failing.has(key))
			.map((key) => `${key}: passes, so remove it from the table`);
		return [...unlisted, ...passing];
	});
}

/** Characters of each side that are shown. */
const MAX_DETAILS = 300;

/** From the first difference on. */
function describeDetails([one, other]: Finding['details']): string {
	let at = 0;
	while (at < one.length && one[at] === other[at]) at++;
	const show = (text: string): string =>
		JSON.stringify(text.slice(Math.max(0, at - 20), at + MAX_DETAILS));
	return `recorded ${show(one)}, reworded ${show(other)}`;
}

/** The failure of one operation. */
interface Failing extends KnownRow {
	operations: readonly [string];
}

/**
 * The table after a run: what was played as it was found, everything else as it is.
 *
 * @param rows - All rows that there are.
 */
export function updateKnownRows(
	known: readonly KnownRow[],
	{ found, rows }: { found: Found; rows: readonly Row[] },
): KnownRow[] {
	const operationsOf = new Map<string, string[]>();
	for (const row of rows)
		operationsOf.set(row.response.name, [
			...(operationsOf.get(row.response.name) ?? []),
			describeOperation(row),
		]);
	const played = new Set(
		[...found.keys()].map((row) => `${row.response.name} ${describeOperation(row)}`),
	);
	const kept = known.flatMap(({ operations, ...row }): Failing[] => {
		const own = operationsOf.get(row.response) ?? [];
		return (operations === 'all' ? own : operations.filter((operation) => own.includes(operation)))
			.filter((operation) => !played.has(`${row.response} ${operation}`))
			.map((operation) => ({ ...row, operations: [operation] }));
	});
	const failing = [...found].flatMap(([row, findings]) =>
		findings.map((finding): Failing => {
			const { difference } = finding;
			return {
				response: row.response.name,
				differs: difference,
				operations: [describeOperation(row)],
				reason: describeReason(finding),
				mendedBy: MENDED_BY[difference],
			};
		}),
	);
	return group([...kept, ...failing]).map((row) => {
		const isAll = row.operations.length === operationsOf.get(row.response)?.length;
		return isAll ? { ...row, operations: 'all' } : row;
	});
}

/** One row for each response, difference and reason. */
function group(rows: readonly Failing[]): KnownRow[] {
	const groups = new Map<string, KnownRow>();
	for (const row of rows) {
		const key = toKey(row.response, row.differs, row.reason);
		const operations = [...(groups.get(key)?.operations ?? []), ...row.operations];
		groups.set(key, { ...row, operations: [...new Set(operations)].sort() });
	}
	return [...groups].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);
}

/** Public error responses that fail, by what differs and why. */
export type KnownCounts = Readonly<Record<string, number>>;

export function countFindings(found: Found): KnownCounts {
	const counts = new Map<string, number>();
	for (const finding of [...found.values()].flat()) {
		const key = `${finding.difference}: ${describeReason(finding)}`;
		counts.set(key, (counts.get(key) ?? 0) + 1);
	}
	return Object.fromEntries([...counts].sort(([one], [other]) => (one < other ? -1 : 1)));
}

const FILE = 'test/guarantees/reword.known.ts';

/** Writes the table; `oxfmt` formats it. */
export function writeKnown(rows: readonly KnownRow[], counts: KnownCounts): void {
	const text = `/** Written by reword.test.ts: what still depends on the words of a server. */
import type { KnownCounts, KnownRow } from './support/reword/known-rows';

export const KNOWN: readonly KnownRow[] = ${JSON.stringify(rows, null, '\t')};

/** How many of the public error responses fail. */
export const KNOWN_PUBLIC: KnownCounts = ${JSON.stringify(counts, null, '\t')};
`;
	fs.writeFileSync(FILE, text);
}
