/** Lists as Dify pages them, of records that are made up: for tests that compare what was read with the whole list. */
import type { IDataObject } from 'n8n-workflow';

import fc from 'fast-check';
import { getItemId } from '../../faults/operations';

/** How a server pages a list. */
export interface Paging {
	/** Which records follow: those of a page number, those after a record, or those before it (the newest page first). */
	type: 'page' | 'last_id' | 'first_id';
	/** What a response says of further pages: whether there are any, that its page is full, that there are none, nothing. */
	hasMore: 'true' | 'full' | 'never' | 'missing';
	hasTotal: boolean;
}

/** The query of a request. */
type Asked = Readonly<Record<string, unknown>>;

/** Begin and end of a page, whose records are in the order of the list. */
export function findPage(
	all: readonly IDataObject[],
	{ type }: Paging,
	asked: Asked,
): [number, number] {
	const limit = Number(asked.limit ?? 20);
	if (type === 'page') {
		const begin = (Number(asked.page ?? 1) - 1) * limit;
		return [begin, begin + limit];
	}
	const at = all.findIndex(({ id }) => id === asked[type]);
	if (type === 'last_id') return [at + 1, at + 1 + limit];
	const end = at === -1 ? all.length : at;
	return [Math.max(0, end - limit), end];
}

/** A page of a list, as Dify returns it. */
export function toPage(all: readonly IDataObject[], paging: Paging, asked: Asked): IDataObject {
	const [begin, end] = findPage(all, paging, asked);
	const data = all.slice(begin, end);
	const hasMore = {
		true: paging.type === 'first_id' ? begin > 0 : end < all.length,
		full: data.length === Number(asked.limit),
		never: false,
		missing: undefined,
	}[paging.hasMore];
	return {
		data,
		...(hasMore !== undefined && { has_more: hasMore }),
		...(paging.hasTotal && { total: all.length }),
	};
}

const toId = (at: number): string => `${getItemId(0).slice(0, -4)}${String(at).padStart(4, '0')}`;

/** All fields that operations read. */
const toRecord = (at: number): IDataObject => ({ id: toId(at), name: toId(at), value: toId(at) });

export const createList = (length: number): IDataObject[] =>
	Array.from({ length }, (_, at) => toRecord(at));

/** The first records of a list. Of one that is read backwards the newest, the oldest first. */
export function selectExpected<T>(all: readonly T[], limit: number, type: Paging['type']): T[] {
	return type === 'first_id' ? all.slice(Math.max(0, all.length - limit)) : all.slice(0, limit);
}

/** A number near a multiple of the size of a page counts most. */
export const count = (size: number): fc.Arbitrary<number> =>
	fc.oneof(
		fc.nat(3 * size),
		fc
			.tuple(fc.nat(3), fc.constantFrom(-1, 0, 1))
			.map(([pages, more]) => Math.max(0, pages * size + more)),
	);
