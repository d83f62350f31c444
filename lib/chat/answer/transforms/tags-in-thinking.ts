import { ThinkSplitter } from '../../text-formats/thinking';
import { eachText } from '../chunk';

/** Tags within thinking that has a field of its own. */
export function tagsInThinking() {
	const splitter = new ThinkSplitter();
	let isBegun = false;
	return eachText({
		reasoning: {
			push(piece) {
				isBegun ||= piece !== '';
				const { reasoning, text } = splitter.push(piece);
				return reasoning + text;
			},
			end() {
				if (!isBegun) return '';
				const { reasoning, text } = splitter.end();
				return reasoning + text;
			},
		},
	});
}
