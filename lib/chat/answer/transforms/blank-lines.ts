import { eachText } from '../chunk';

/** Templates, and parsers of thinking (vLLM's), leave line breaks in front of the answer. */
export function withoutFirstBlankLines() {
	let isBefore = true;
	return eachText({
		text: {
			push(text) {
				const rest = isBefore ? text.replace(/^[\r\n]+/, '') : text;
				isBefore = isBefore && rest === '';
				return rest;
			},
			end: () => '',
		},
	});
}
