import { markup, type Html } from './escape';

/** The name of a column; of one that holds numbers, in brackets. */
export type Column = string | readonly [numbers: string];

/** A table, each row of which is a list of names and values on a phone, so that nothing is cut off there. */
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
