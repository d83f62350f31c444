import { eachText, type TextChange } from '../chunk';

/** Never half a character: some servers escape an emoji as two surrogates in two pieces. */
export const wholeCharacters = () => eachText({ text: charactersOf(), reasoning: charactersOf() });

function charactersOf(): TextChange {
	let half = '';
	return {
		push(piece) {
			const all = half + piece;
			const last = all.charCodeAt(all.length - 1);
			half = last >= 0xd800 && last <= 0xdbff ? all.slice(-1) : '';
			return half === '' ? all : all.slice(0, -1);
		},
		end: () => half,
	};
}
