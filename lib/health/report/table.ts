import { markup, type Html } from './html';

/** Name of a column; in an array for a column of numbers. */
export type Column = string | readonly [numbers: string];

/** A table. On a phone each row becomes a list of names and values. */
export function tableOf(
	columns: readonly Column[],
	rows: ReadonlyArray<ReadonlyArray<Html | string | number | null | undefined>>,
): Html {
	const kindOf = (column: Column) => (typeof column === 'string' ? 'w' : 'n');
	return markup`<table>
		<tr>
			${columns.map((column) => markup`<th class="${kindOf(column)}">${column}</th>`)}
		</tr>
		${rows.map(
			(row) =>
				markup`<tr>
					${row.map((cell, at) => markup`<td class="${kindOf(columns[at]!)}" data-name="${columns[at]}">${cell}</td>`)}
				</tr>`,
		)}
	</table>`;
}
