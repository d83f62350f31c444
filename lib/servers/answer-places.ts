import { plainNumber, recordOf } from '../values';

/**
 * To which of `count` texts each entry of an answer belongs. Servers write the index as a number or as text, from 0 or
 * from 1, and call it `index` or `text_index`; undefined where there is none that can be read.
 */
export function placesOf(entries: readonly unknown[], count: number): Array<number | undefined> {
	const indexes = entries.map((entry) => {
		const { index, text_index: named = index } = recordOf(entry);
		return plainNumber(index ?? named);
	});
	// Only where all are there: an index beyond the texts is else a fault.
	const isFromOne = indexes.length === count && indexes.includes(count) && !indexes.includes(0);
	return indexes.map((index) => (isFromOne && index !== undefined ? index - 1 : index));
}
