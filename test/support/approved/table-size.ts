/**
 * What a table may have, so that a person reads it: no more rows, no longer ones, and no words of errors but in the one table
 * of texts. Tables that are larger are on a list that only shrinks (`to-do.tsv`).
 */
import * as fs from 'node:fs';
import path from 'node:path';

export const MAX_ROWS = 100;

/** Characters. */
export const MAX_ROW_LENGTH = 160;

/** The table of texts: it alone has the words of errors, and may be longer and wider. */
const TABLE_OF_TEXTS = 'test/lib/errors/error-types.approved.txt';

/** How far a table is beyond what a person reads; zeros if it is not. */
export interface Excess {
	/** All of them, if there are too many. */
	rows: number;
	/** Those that are too long. */
	wideRows: number;
	/** Those with words of errors. */
	rowsWithWords: number;
}

const NONE: Excess = { rows: 0, wideRows: 0, rowsWithWords: 0 };

/** What each number of an excess counts. */
const NAMES: Readonly<Record<keyof Excess, string>> = {
	rows: `rows (maximum ${MAX_ROWS})`,
	wideRows: `rows of more than ${MAX_ROW_LENGTH} characters`,
	rowsWithWords: 'rows with words of errors, which belong in the table of texts',
};
const PARTS = Object.keys(NAMES) as Array<keyof Excess>;

/**
 * @param name of the table, as its path in the project
 * @param wordsOfErrors of the errors that the test produced
 */
export function findExcess(
	name: string,
	lines: readonly string[],
	wordsOfErrors: readonly string[],
): Excess {
	if (name === TABLE_OF_TEXTS) return NONE;
	const all = lines.join('\n');
	const found = wordsOfErrors.filter((words) => all.includes(words));
	return {
		rows: lines.length > MAX_ROWS ? lines.length : 0,
		wideRows: lines.filter(({ length }) => length > MAX_ROW_LENGTH).length,
		rowsWithWords: lines.filter((line) => found.some((words) => line.includes(words))).length,
	};
}

/** @returns what is wrong with the size of a table, one sentence for each number that grew or shrank */
export function describeExcess(excess: Excess, allowed: Excess = NONE): string[] {
	return PARTS.flatMap((part) => {
		if (excess[part] === allowed[part]) return [];
		if (excess[part] < allowed[part])
			return [`${excess[part]} ${NAMES[part]}, fewer than the to-do list has: write the table.`];
		const before = allowed[part] === 0 ? '' : `, and ${allowed[part]} before: it may not grow`;
		return [
			`${excess[part]} ${NAMES[part]}${before}. What is larger becomes a rule: a property, or a sample with its reason.`,
		];
	});
}

/** Whether no number is larger than it was. */
export function isShrinking(excess: Excess, allowed: Excess = NONE): boolean {
	return PARTS.every((part) => excess[part] <= allowed[part]);
}

/** Tables with rows for each field and each request of a node: they grow with the node until a rule takes their place. */
const OF_NODES = /\/(?:panels|options|any-response)\.\w+\.approved\.txt$/;

/** Whether a table may be written with these numbers. */
export function canWrite(name: string, excess: Excess, allowed: Excess = NONE): boolean {
	if (!OF_NODES.test(name)) return isShrinking(excess, allowed);
	return excess.rowsWithWords <= allowed.rowsWithWords;
}

const TO_DO = path.join(__dirname, 'to-do.tsv');
const HEAD = ['table', ...PARTS].join('\t');

/** The tables that are still too large, by their names. */
export function readToDo(): Map<string, Excess> {
	const [, ...rows] = fs.readFileSync(TO_DO, 'utf8').trimEnd().split('\n');
	return new Map(
		rows.map((row) => {
			const [name = '', ...numbers] = row.split('\t');
			const counts = PARTS.map((part, at) => [part, Number(numbers[at])]);
			return [name, Object.fromEntries(counts) as unknown as Excess];
		}),
	);
}

/** Changes the numbers of a table in the list. A table that fits leaves it. */
export function updateToDo(name: string, excess: Excess): void {
	const all = readToDo();
	if (isShrinking(excess)) all.delete(name);
	else all.set(name, excess);
	const rows = [...all].map(([table, counts]) =>
		[table, ...PARTS.map((part) => counts[part])].join('\t'),
	);
	fs.writeFileSync(TO_DO, `${[HEAD, ...rows.sort()].join('\n')}\n`);
}
