import * as fs from 'node:fs';

/** Rows of a table with one case per line and tabs between cells; comments begin with `#`. */
export const readRows = (file: string): string[][] =>
	fs
		.readFileSync(file, 'utf8')
		.split('\n')
		.filter((line) => line !== '' && !line.startsWith('#'))
		.map((line) => line.split('\t'));

/** The value of a cell: JSON, any other text as it is, or nothing. */
function toValue(cell: string): unknown {
	if (cell === '') return undefined;
	try {
		return JSON.parse(cell);
	} catch {
		return cell;
	}
}

/** The rows of such a table as values, all with as many as the longest one: jest would pass `done` for a missing one. */
export const readCases = <Row extends unknown[]>(file: string): Row[] => {
	const rows = readRows(file);
	const length = Math.max(...rows.map((cells) => cells.length));
	return rows.map((cells) => Array.from({ length }, (_, at) => toValue(cells[at] ?? '')) as Row);
};
