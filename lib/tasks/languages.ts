/** Languages as servers name them: codes, with a region or without, and English names. Pure. */
import { getOwn } from '../values/own-properties';

/** What was requested, and what a response names. */
export interface ComparedLanguages {
	/** A code or a name; may be empty. */
	requested: string;
	received: string;
}

/** Whether both are known languages, and not the same. */
export function isOtherLanguage({ requested, received }: ComparedLanguages): boolean {
	const requestedCode = toLanguageCode(requested);
	const receivedCode = toLanguageCode(received);
	return (
		requestedCode !== undefined && receivedCode !== undefined && requestedCode !== receivedCode
	);
}

/** Names and codes of Whisper that are not those of Unicode. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
	jw: 'jv',
	iw: 'he',
	tl: 'fil',
	tagalog: 'fil',
	mandarin: 'zh',
	cantonese: 'zh',
	yue: 'zh',
	castilian: 'es',
	flemish: 'nl',
	valencian: 'ca',
	moldavian: 'ro',
	myanmar: 'my',
	burmese: 'my',
	'haitian creole': 'ht',
	pushto: 'ps',
	panjabi: 'pa',
	punjabi: 'pa',
	sinhalese: 'si',
	letzeburgesch: 'lb',
	norwegian: 'no',
	nb: 'no',
	nn: 'no',
	nynorsk: 'no',
	'norwegian bokmål': 'no',
	'norwegian nynorsk': 'no',
};

/** Undefined for what is not a known language, such as `auto`. */
function toLanguageCode(name: string): string | undefined {
	const key = name.trim().toLowerCase();
	const code = /^([a-z]{2,3})(?:[-_][a-z0-9_-]{1,20})?$/.exec(key)?.[1] ?? key;
	const known =
		getOwn(OTHER_NAMES, code) ??
		getCodesByName().get(code) ??
		(getNamesByCode().has(code) ? code : undefined);
	// Several codes have the same name.
	return getOwn(OTHER_NAMES, known ?? '') ?? known;
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

function getCodesByName() {
	return new Map([...getNamesByCode()].map(([code, name]) => [name, code]));
}
