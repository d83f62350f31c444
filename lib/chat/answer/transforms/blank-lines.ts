import { eachText } from '../chunk';

/** Templates that open the thinking tag leave line breaks at the beginning of an answer without thinking. */
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
