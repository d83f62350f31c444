import { fieldsList, text, type Fields } from './read';

/** What to collect: at most so many records, or all. */
export type Most = number | 'all';

/** How many to ask for on the next page. */
export function pageSize(most: Most, have: number, largest: number): number {
	return most === 'all' ? largest : Math.min(largest, most - have);
}

/** The records of a page that are not known yet. Others write in the list while it is read, so that a record can come twice. */
export function added(known: Map<string, Fields>, found: readonly Fields[]): void {
	for (const record of found) {
		const id = text(record.id) ?? `without id ${known.size}`;
		if (!known.has(id)) known.set(id, record);
	}
}

/**
 * Follows a list that continues behind the id of its last record (conversations, variables).
 *
 * @param page asks for the records behind `lastId`; undefined when that one is gone
 */
export async function collectAfter(
	most: Most,
	largest: number,
	page: (limit: number, lastId: string | undefined) => Promise<Fields | undefined>,
): Promise<Fields[]> {
	const records = new Map<string, Fields>();
	/** What the list can be continued behind: the ids of what was found, the last one first of all. */
	const trail: string[] = [];
	let back = 1;
	for (;;) {
		const limit = pageSize(most, records.size, largest);
		if (limit <= 0) break;
		const lastId = trail.at(-1);
		const answer = await page(limit, lastId);
		if (answer === undefined) {
			// Behind one of those before it there is nothing that is not known or wanted.
			trail.splice(-back);
			back *= 2;
			continue;
		}
		const found = fieldsList(answer.data);
		added(records, found);
		trail.push(...found.flatMap(({ id }) => text(id) ?? []));
		if (answer.has_more !== true || trail.at(-1) === lastId) break;
	}
	return [...records.values()];
}
