import { eachText } from '../chunk';

/** The text of a trailing assistant message, which servers repeat at the beginning of the answer. */
export function withoutPrefill(prefill: string) {
	/** Text that equals the prefill so far; undefined once decided. */
	let held: string | undefined = '';
	return eachText({
		text: {
			push(text) {
				if (held === undefined) return text;
				const begin = held + text;
				const isUndecided = prefill.startsWith(begin) && begin !== prefill;
				held = isUndecided ? begin : undefined;
				if (isUndecided) return '';
				return begin.startsWith(prefill) ? begin.slice(prefill.length) : begin;
			},
			end() {
				const rest = held ?? '';
				held = undefined;
				return rest;
			},
		},
	});
}
