import { fieldsList, text, type Fields } from './read';

/** What to collect: at most so many records, or all. */
export type Most = number | 'all';

/** How many to ask for on the next page. */
export function pageSize(most: Most, have: number, largest: number): number {
	return most === 'all' ? largest : Math.min(largest, most - have);
}

/**
 * Follows a list that continues behind the id of its last record (conversations, variables).
 *
 * @param page asks for the records behind `lastId`
 */
export async function collectAfter(most: Most, largest: number, page: (limit: number, lastId: string | undefined) => Promise<Fields>): Promise<Fields[]> {
	const records: Fields[] = [];
	for (;;) {
		const limit = pageSize(most, records.length, largest);
		if (limit <= 0) return records;
		const answer = await page(limit, text(records.at(-1)?.id));
		const found = fieldsList(answer.data);
		records.push(...found);
		if (answer.has_more !== true || found.length === 0) return records;
	}
}
