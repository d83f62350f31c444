import { eachText } from '../chunk';

/** The text of a trailing assistant message, which servers repeat at the beginning of the answer. */
export function withoutPrefill(prefill: string) {
	/** Text that equals the prefill so far; undefined once decided. */
	let undecided: string | undefined = '';
	return eachText({
		text: {
			push(text) {
				if (undecided === undefined) return text;
				const begin = undecided + text;
				const isPrefillSoFar = prefill.startsWith(begin) && begin !== prefill;
				undecided = isPrefillSoFar ? begin : undefined;
				if (isPrefillSoFar) return '';
				return begin.startsWith(prefill) ? begin.slice(prefill.length) : begin;
			},
			end() {
				const rest = undecided ?? '';
				undecided = undefined;
				return rest;
			},
		},
	});
}
