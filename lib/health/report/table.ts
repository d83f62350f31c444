import { shortened } from '../../values';
import { markup, type Html } from './html';

/** Name of a column; in an array for a column of numbers. */
type Column = string | readonly [numbers: string];

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

/** A column of a table of records. */
export interface RecordColumn<T> {
	title: Column;
	cell(record: T): string | number | null;
	/** Left out where no record has a value. */
	isOptional?: true;
}

/** A table of records. @param most characters of a text */
export function recordTable<T>(
	columns: ReadonlyArray<RecordColumn<T>>,
	records: readonly T[],
	most = Infinity,
): Html {
	const shown = columns.filter(
		({ cell, isOptional }) => isOptional !== true || records.some((each) => cell(each) !== ''),
	);
	const rows = records.map((each) => shown.map(({ cell }) => cell(each)));
	return tableOf(
		shown.map(({ title }) => title),
		rows.map((row) =>
			row.map((value) => (typeof value === 'string' ? shortened(value, most) : value)),
		),
	);
}
