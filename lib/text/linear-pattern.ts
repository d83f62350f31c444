import { RE2JS } from '../vendor';

/** RE2's `\s` has ASCII's whitespace only, JavaScript's all of Unicode's. */
const UNICODE_SPACE = '\\s\\v\\x{feff}\\p{Z}';

/**
 * A foreign regular expression as a test that runs in linear time. JavaScript's own engine would try `^(a+)+$` on forty
 * letters for years, and block n8n.
 *
 * @returns undefined where the engine (RE2) lacks what the pattern uses: look-around, references to groups, more than
 *   1,000 repetitions
 * @throws {SyntaxError} for an invalid pattern
 */
export function linearTest(pattern: string): ((text: string) => boolean) | undefined {
	try {
		const compiled = RE2JS.compile(RE2JS.translateRegExp(withUnicodeSpace(pattern)));
		return (text) => compiled.test(text);
	} catch {
		// Only compiled, to see whether it is valid: V8 needs no time for that.
		new RegExp(pattern);
		return undefined;
	}
}

function withUnicodeSpace(pattern: string): string {
	let isInClass = false;
	return pattern.replace(/\\[^]|[[\]]/g, (sign) => {
		if (sign === '[' || sign === ']') isInClass = sign === '[';
		if (sign === '\\s') return isInClass ? UNICODE_SPACE : `[${UNICODE_SPACE}]`;
		return sign === '\\S' && !isInClass ? `[^${UNICODE_SPACE}]` : sign;
	});
}
