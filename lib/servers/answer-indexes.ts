import { plainNumber, recordOf } from '../values';

/**
 * For each entry of an answer, the index (from 0) of the text it belongs to, out of `count` texts; undefined where none
 * can be read. Servers write it as a number or as text, from 0 or from 1, and call it `index` or `text_index`.
 */
export function textIndexes(entries: readonly unknown[], count: number): Array<number | undefined> {
	const indexes = entries.map((entry) => {
		const { index, text_index: named = index } = recordOf(entry);
		return plainNumber(index ?? named);
	});
	// Counting from 1 is assumed only if the answer is complete: otherwise an index too large is an error.
	const isFromOne = indexes.length === count && indexes.includes(count) && !indexes.includes(0);
	return indexes.map((index) => (isFromOne && index !== undefined ? index - 1 : index));
}
