/**
 * Letters that follow each other in hardly any word, a first one with all that do not follow it. Counted in 61,000 words of
 * documents, names of packages and names of people: those of less than one in 10,000 pairs.
 */
const UNUSUAL = new Set(
	(
		'a:q b:qvwz c:jqvwxz d:qz f:bghjkmqvwxz g:bjkqvxz h:ghjkvwxz i:jw j:bcdfghjklmnpqrtvwxyz k:fhjkqvwxz l:hjqxz ' +
		'm:hjkxz n:qx o:q p:jqvwxz q:abcdefghijkmnopqrstvwxyz r:jqxz s:xz t:qz u:hjqvwyz v:bcdfghjklnpqrtvwxyz ' +
		'w:bcdfgjkmpqtuvwxyz x:ghjknqruvwz y:hjkqvxyz z:bcdfghjklmnpqrstvwxy'
	)
		.split(' ')
		.flatMap((entry) => [...entry.slice(2)].map((next) => entry[0]! + next)),
);

/** In eight letters of `iOSAppKey`. */
const USUAL_CHANGES_OF_CASE = 4;

/**
 * How little a text looks like words and names: each pair of letters that is unusual in them, each change between
 * letters and digits, and each change of case beyond the usual. Random letters have many, words none or one.
 */
export function oddities(text: string): number {
	let odd = 0;
	let changesOfCase = 0;
	for (let at = 1; at < text.length; at++) {
		const [before, after] = [text[at - 1]!, text[at]!];
		if (UNUSUAL.has((before + after).toLowerCase())) odd++;
		if (/\d[a-z]|[a-z]\d/i.test(before + after)) odd++;
		if (/[a-z][A-Z]|[A-Z][a-z]/.test(before + after)) changesOfCase++;
	}
	return odd + Math.max(0, changesOfCase - USUAL_CHANGES_OF_CASE);
}
