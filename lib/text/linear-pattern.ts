import { RE2JS } from '../vendor';

/** RE2 knows the blanks of ASCII only, JavaScript all of Unicode's. */
const BLANKS = '\\s\\v\\x{feff}\\p{Z}';

/**
 * A regular expression of somebody else as a test whose time grows with the text only: JavaScript's own engine tries
 * `^(a+)+$` on forty letters for years, and n8n does nothing else meanwhile.
 *
 * @returns undefined where the engine (RE2) lacks what the pattern uses: look-around, references to groups, more than
 *   1,000 repetitions
 * @throws {SyntaxError} for a pattern that is none
 */
export function linearTest(pattern: string): ((text: string) => boolean) | undefined {
	try {
		const compiled = RE2JS.compile(RE2JS.translateRegExp(withBlanks(pattern)));
		return (text) => compiled.test(text);
	} catch {
		// Only compiled: V8 takes no time for that.
		new RegExp(pattern);
		return undefined;
	}
}

function withBlanks(pattern: string): string {
	let isInClass = false;
	return pattern.replace(/\\[^]|[[\]]/g, (sign) => {
		if (sign === '[' || sign === ']') isInClass = sign === '[';
		if (sign === '\\s') return isInClass ? BLANKS : `[${BLANKS}]`;
		return sign === '\\S' && !isInClass ? `[^${BLANKS}]` : sign;
	});
}
