/** Languages as servers name them: codes, with a region or without, and English names. Pure. */

/** What was requested, and what a response names. */
export interface ComparedLanguages {
	/** A code or a name; may be empty. */
	requested: string;
	received: string;
}

/** Whether both are known languages, and not the same. whisper.cpp is sent a code, and names the language in English. */
export function isOtherLanguage({ requested, received }: ComparedLanguages): boolean {
	const [requestedName, receivedName] = [requested, received].map(toLanguageName);
	if (requestedName === undefined || receivedName === undefined) return false;
	// "Norwegian Bokmål" is Norwegian.
	return !requestedName.startsWith(receivedName) && !receivedName.startsWith(requestedName);
}

/** In English; undefined for what is not a known language, such as `auto`. */
function toLanguageName(name: string): string | undefined {
	const key = name.trim().toLowerCase();
	const code = /^([a-z]{2})(?:[-_][a-z0-9_-]{1,20})?$/.exec(key)?.[1] ?? key;
	const names = getNamesByCode();
	return names.get(code) ?? [...names.values()].find((known) => known === key);
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

let namesByCode: Map<string, string> | undefined;

/** Names of all languages with a code of two letters; looked up once. */
function getNamesByCode() {
	if (namesByCode) return namesByCode;
	const names = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
	namesByCode = new Map();
	for (const first of LETTERS)
		for (const second of LETTERS) {
			const name = names.of(first + second);
			if (name !== undefined) namesByCode.set(first + second, name.toLowerCase());
		}
	return namesByCode;
}
