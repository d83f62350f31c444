/** What a server says about a value that it rejects: its limit, the allowed values, the type. */

/** Bounds of a number. */
export interface RangeLimit {
	type: 'range';
	min?: number;
	max?: number;
	/** Whether the bound itself is not allowed. */
	isMinExclusive?: boolean;
	isMaxExclusive?: boolean;
}

/** Bounds of the length of a text or of a list. */
export interface LengthLimit {
	type: 'length';
	min?: number;
	max?: number;
	/** Characters or entries that were sent. */
	sent: number;
	unit: 'characters' | 'entries';
}

/** The values that are allowed, as text. */
export interface ChoicesLimit {
	type: 'choices';
	values: string[];
}

/** The type that a value must have, as a noun phrase. */
export interface KindLimit {
	type: 'kind';
	kind: string;
}

/** Without further facts: the value is missing; the server does not support the field, or the value. */
export interface PlainLimit {
	type: 'required' | 'unsupportedField' | 'unsupportedValue';
}

export type ValueLimit = RangeLimit | LengthLimit | ChoicesLimit | KindLimit | PlainLimit;

/** A type that a validator demands. */
interface ValueKind {
	/** What users call it. */
	noun: string;
	/** Pattern of the names that validators use. */
	names: string;
	matches(value: unknown): boolean;
}

/** A larger number in a message is no limit of an option. */
const MAX_PLAUSIBLE_LIMIT = 1e9;

const UNSUPPORTED_FIELD =
	/\bextra (?:inputs are|fields) not permitted\b|\bun(?:known|recogni[sz]ed|expected|supported) (?:request )?(?:parameter|argument|field|property|key|keyword)|\bdoes not support (?:the )?(?:following )?parameters?\b|\b(?:parameter|argument|field|property) \S{1,60} is (?:not supported|unsupported|not permitted|not allowed)\b/i;

const REQUIRED =
	/\bfield required\b|\bis (?:a )?required\b|\bmissing required\b|\brequired (?:field|parameter|property)\b|\bmust (?:be (?:provided|specified|set)|not be (?:empty|blank|null))\b|\bcan(?:not|'t) be (?:empty|blank|null|none)\b|\bnone is not an allowed value\b|\bshould not be empty\b/i;

const UNSUPPORTED_VALUE =
	/\b(?:not|n't|never) (?:be )?(?:supported|allowed|available|permitted|found|exist|valid|recogni[sz]ed)\b|\bdoes(?: not|n't) (?:support|exist)\b|\bun(?:supported|known|recogni[sz]ed)\b|\binvalid\b/i;

/**
 * What a message says about a value. A limit that the value keeps is none, since its numbers mean something else.
 *
 * @param value - As sent; undefined if it is not known.
 */
export function parseValueLimit(message: string, value: unknown): ValueLimit | undefined {
	if (UNSUPPORTED_FIELD.test(message)) return { type: 'unsupportedField' };
	const isMissing = value === undefined || value === '' || value === null;
	if (REQUIRED.test(message) && isMissing) return { type: 'required' };
	return (
		parseLength(message, value) ??
		parseChoices(message, value) ??
		parseRange(message, value) ??
		parseKind(message, value) ??
		(UNSUPPORTED_VALUE.test(message) ? { type: 'unsupportedValue' } : undefined)
	);
}

/** Not a part of a word, an address or a version. */
const NUMBER = String.raw`(?<![\w.])(-?\d{1,3}(?:,\d{3}){1,3}|-?\d{1,12}(?:\.\d{1,6})?)(?![\w]|\.\d|,\d)`;

const FROM = NUMBER.replace('(-?', '(?<from>-?');

const TO = NUMBER.replace('(-?', '(?<to>-?');

function toNumber(digits: string | undefined): number {
	const number = Number((digits ?? '').replaceAll(',', '') || NaN);
	return Math.abs(number) <= MAX_PLAUSIBLE_LIMIT ? number : NaN;
}

function isNumber(value: number | undefined): value is number {
	return value !== undefined && !Number.isNaN(value);
}

const FILLER = String.raw`(?:[\s:=(]|\b(?:of|is|are|to|than|the|a|an|value|values|allowed|length|size|limit|permitted|supported|be)\b){0,12}`;

/** Words before an upper bound. Those with "less" and "below" alone exclude it. */
const UPPER = String.raw`less than or equal to|at most|no (?:more|greater|longer|larger) than|not (?:be )?(?:exceed|greater than|more than|larger than|longer than|above)|up to|<=|=<|≤|maximum|\bmax(?:_length|_items|imum)?|exceed(?:s|ed|ing)?|limit(?:ed)?(?: to)?|\blimit|longer than|greater than the (?:maximum|limit)|above the (?:maximum|limit)`;

const LOWER = String.raw`greater than or equal to|at least|no (?:less|fewer|smaller|shorter) than|not (?:be )?(?:less than|smaller than|below|lower than|shorter than)|>=|=>|≥|minimum|\bmin(?:_length|_items|imum)?|shorter than|less than the minimum|below the minimum`;

const UPPER_EXCLUSIVE = String.raw`less than|smaller than|lower than|below|<`;

const LOWER_EXCLUSIVE = String.raw`greater than|more than|larger than|higher than|above|>`;

/** From left to right, so that the longer words win. */
const BOUND = new RegExp(
	`(?:(?<upper>${UPPER})|(?<lower>${LOWER})|(?<upperExclusive>${UPPER_EXCLUSIVE})|(?<lowerExclusive>${LOWER_EXCLUSIVE}))${FILLER}${NUMBER}`,
	'gi',
);

/** `between 0.25 and 4`, `between 1 <= value <= 2`, `in the range [0, 2]`, `from 1 to 4`, `0.25 <= speed <= 4` */
const BETWEEN: readonly RegExp[] = [
	new RegExp(
		String.raw`\bbetween ['"(\[]{0,2}${FROM}['"]{0,2} ?(?:and|<= ?\w{1,40} ?<=|-|–|to) ?['"]{0,2}${TO}`,
		'i',
	),
	new RegExp(
		String.raw`\b(?:in|range|within|interval|of)\b[^.\d\n]{0,40}[[(] ?${FROM} ?(?:,|;|-|–|\.\.|to) ?${TO} ?[\])]`,
		'i',
	),
	new RegExp(
		String.raw`\b(?:from|range|within|allowed|valid|in)\b[^.\d\n]{0,40}${FROM} ?(?:to|-|–|\.\.\.?|and) ?${TO}`,
		'i',
	),
	new RegExp(String.raw`${FROM} ?<=? ?\w{1,40} ?<=? ?${TO}`, 'i'),
];

const EXACT = new RegExp(
	String.raw`\b(?:(?:must|should|has to|can only) be(?: equal to)?|must (?:provide|use|set)|only(?: the default)?(?: supports?| allows?| accepts?)?|supports? only)\s{0,2}\(?(?:\w{1,30} ?= ?)?\(?${NUMBER}(?! ?(?:or|<|and|to|-|characters?|items?|tokens?)\b)`,
	'i',
);

function parseRange(message: string, value: unknown): ValueLimit | undefined {
	// Forms contain numbers as text.
	const sent = typeof value === 'string' && value.trim() ? Number(value) : value;
	const number = typeof sent === 'number' && Number.isFinite(sent) ? sent : undefined;
	if (number === undefined && value !== undefined) return undefined;
	const range = findBetween(message) ?? findBounds(message);
	if (range && contradicts(range, number)) return range;
	const exact = toNumber(EXACT.exec(message)?.[1]);
	return Number.isNaN(exact) || exact === number
		? undefined
		: { type: 'choices', values: [String(exact)] };
}

function findBetween(message: string): RangeLimit | undefined {
	for (const pattern of BETWEEN) {
		const match = pattern.exec(message);
		const { from, to } = match?.groups ?? {};
		const [min, max] = [toNumber(from), toNumber(to)];
		// `(0, 1]`: a round bracket excludes the bound.
		const [isMinExclusive, isMaxExclusive] = [/\(\s?$/, /^\s?\)/].map((bracket, at) => {
			const text = match?.[0] ?? '';
			const end = from === undefined || to === undefined ? 0 : text.lastIndexOf(to) + to.length;
			const isPair = /[[(][^[\]()]*[\])]/.test(text) && /[[\]]/.test(text);
			return (
				isPair && bracket.test(at === 0 ? text.slice(0, text.indexOf(from ?? '')) : text.slice(end))
			);
		});
		if (min < max) return { type: 'range', min, max, isMinExclusive, isMaxExclusive };
	}
	return undefined;
}

function findBounds(message: string): RangeLimit | undefined {
	const range: RangeLimit = { type: 'range' };
	for (const { groups = {}, ...match } of message.matchAll(BOUND)) {
		const bound = toNumber(match[5]);
		const { upper, lower, upperExclusive, lowerExclusive } = groups;
		if (Number.isNaN(bound)) continue;
		if ((upper ?? upperExclusive) !== undefined && range.max === undefined) {
			range.max = bound;
			range.isMaxExclusive = upper === undefined;
		}
		if ((lower ?? lowerExclusive) !== undefined && range.min === undefined) {
			range.min = bound;
			range.isMinExclusive = lower === undefined;
		}
	}
	if (/\bnon-?negative\b/i.test(message)) range.min ??= 0;
	if (
		/\b(?:must|should) be (?:a )?(?:strictly )?positive\b/i.test(message) &&
		range.min === undefined
	)
		Object.assign(range, { min: 0, isMinExclusive: true });
	return range.min === undefined && range.max === undefined ? undefined : range;
}

/** Whether a value is outside of a range; also true for a value that is not known. */
function contradicts(
	{ min = -Infinity, max = Infinity, isMinExclusive, isMaxExclusive }: RangeLimit,
	value: number | undefined,
): boolean {
	if (value === undefined) return true;
	return (
		value < min ||
		value > max ||
		(value === min && isMinExclusive === true) ||
		(value === max && isMaxExclusive === true)
	);
}

/** What a length is counted in. */
const UNITS = String.raw`characters?|chars?|letters|items?|elements?|entries|texts|inputs?|documents?|strings?|values?`;

const ABOUT_LENGTH = new RegExp(
	String.raw`\b(?:too (?:long|short|many|large)|length|longer|shorter|${UNITS})\b`,
	'i',
);

/** Other units than those of the value itself. */
const OTHER_UNIT =
	/^[\s)]{0,2}(?:tokens?|words?|bytes?|kb|mb|seconds?|minutes?|pixels?|dimensions?)\b/i;

/** `5000 > 4096`, `5000/4096`, `(max 4096)` and the words of bounds. */
function parseLength(message: string, value: unknown): LengthLimit | undefined {
	const sent = getLength(value);
	if (sent === undefined || !ABOUT_LENGTH.test(message)) return undefined;
	const unit = Array.isArray(value) ? 'entries' : 'characters';
	const isOther = ({ 0: match, index = 0 }: RegExpExecArray) =>
		OTHER_UNIT.test(message.slice(index + match.length));
	const matches = [...message.matchAll(BOUND)].filter((match) => !isOther(match));
	for (const { groups = {}, ...match } of matches) {
		const bound = toNumber(match[5]);
		const { upper, lower, upperExclusive, lowerExclusive } = groups;
		// "More than 32 texts" and "longer than 4096 characters" name the limit, too.
		const isUpper = (upper ?? upperExclusive ?? lowerExclusive) !== undefined;
		const max = upperExclusive === undefined ? bound : bound - 1;
		if (isUpper && max >= 0 && sent > max) return { type: 'length', max, sent, unit };
		const min = lowerExclusive === undefined ? bound : bound + 1;
		if ((lower ?? lowerExclusive) !== undefined && sent < min)
			return { type: 'length', min, sent, unit };
	}
	return findBareLength(message, sent, unit);
}

/** A limit after its unit, or beside the length that was sent. */
function findBareLength(
	message: string,
	sent: number,
	unit: LengthLimit['unit'],
): LengthLimit | undefined {
	const patterns = [
		new RegExp(
			String.raw`${sent}(?: characters?| chars?)? ?(?:>|\/|of|vs\.?|exceeds) ?${NUMBER}`,
			'i',
		),
		new RegExp(
			String.raw`${NUMBER}[ -](?:characters?|chars?|items?)(?: is the)? (?:limit|maximum|max)\b`,
			'i',
		),
	];
	const max = patterns.map((pattern) => toNumber(pattern.exec(message)?.[1])).find(isNumber);
	return max !== undefined && sent > max ? { type: 'length', max, sent, unit } : undefined;
}

/** Characters as Python counts them, or entries. */
export function getLength(value: unknown): number | undefined {
	if (Array.isArray(value)) return value.length;
	return typeof value === 'string' && value !== '' ? Array.from(value).length : undefined;
}

const CHOICES_NOUN = String.raw`(?:values?|voices?|formats?|options?|models?|sizes?|languages?|choices|speakers?|types?|ones?|response_formats?|codes?)`;

/** Words before the values that are allowed. */
const CHOICES_START = new RegExp(
	String.raw`\b(?:one of|any of|choose from|select from|permitted|allowed|either|(?:supported|available|valid|allowed|accepted|possible|known)(?: \w{1,20}){0,2} ${CHOICES_NOUN}|supports only|only supports?|${CHOICES_NOUN} (?:supported|available)|options|choices)(?: (?:are|is|include|in|values|the following|following|from|of|one of)){0,3}\s{0,2}[:=]?\s{0,2}|\b(?:input|value) should be\s{1,2}|\b(?:(?:must|should|can only) be|(?<!\bto )use)\s{1,2}(?=['"‘“])`,
	'gi',
);

const QUOTED_VALUE =
	/^[\s,|/[({]{0,4}(?:(?:or|and)\b[\s,]{0,3})?(?:<[\w.]{1,60}: ?)?(?:'([^'\n]{0,60})'|"([^"\n]{0,60})"|`([^`\n]{0,60})`|‘([^’\n]{0,60})’|“([^”\n]{0,60})”)>?/;

const BARE_VALUE =
	/^[\s,|/[({]{0,4}(?:(?:or|and)\b\s{0,3})?([A-Za-z0-9][\w.+-]{0,40})(?=[\s,|/\])}.;]|$)/;

/** Values of a list in a title. */
const MAX_CHOICES = 200;

function parseChoices(message: string, value: unknown): ChoicesLimit | undefined {
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined;
	const sent = new Set([value].flat().map(String));
	for (const { 0: start, index } of message.matchAll(CHOICES_START)) {
		const rest = message.slice(index + start.length, index + start.length + 4_000);
		const values = readValues(rest, /should be|must be|can only be|^use\b/i.test(start));
		const isPlausible = values.length > 0 && !values.some((choice) => sent.has(choice));
		if (isPlausible) return { type: 'choices', values };
	}
	return undefined;
}

/** @param mustBeQuoted - Whether other words may follow that are no values. */
function readValues(text: string, mustBeQuoted: boolean): string[] {
	const quoted = readList(text.replace(/^(?:dict_keys|frozenset|set|list)\(/, ''), QUOTED_VALUE);
	if (quoted.length > 0 || mustBeQuoted) return quoted;
	const bare = readList(text, BARE_VALUE);
	return bare.length > 1 || /^[\s:([]{0,3}\S{1,40}[\s\])]{0,2}(?:\.(?:\s|$)|;|$)/.test(text)
		? bare
		: [];
}

function readList(text: string, entry: RegExp): string[] {
	const values: string[] = [];
	let rest = text;
	while (values.length < MAX_CHOICES) {
		const match = entry.exec(rest);
		if (!match) break;
		values.push(match.slice(1).find((group) => group !== undefined) ?? '');
		rest = rest.slice(match[0].length);
		// Between entries is a comma, a bar, a slash or a conjunction; otherwise the list ends.
		if (!/^(?:: ?['"]?[\w.]{0,40}['"]?>?)?\s{0,2}(?:,|\||\/|or\b|and\b)/.test(rest)) break;
	}
	return [...new Set(values.filter((value) => value !== ''))];
}

const KINDS: readonly ValueKind[] = [
	{ noun: 'a whole number', names: 'int(?:eger|\\d{1,2})?', matches: Number.isInteger },
	{
		noun: 'a number',
		names: 'number|float(?:\\d{2})?|double',
		matches: (value) => typeof value === 'number',
	},
	{ noun: 'a text', names: 'str(?:ing)?|text', matches: (value) => typeof value === 'string' },
	{ noun: 'a list', names: 'list|array|sequence|tuple', matches: Array.isArray },
	{
		noun: 'true or false',
		names: 'bool(?:ean)?',
		matches: (value) => typeof value === 'boolean',
	},
	{
		noun: 'an object',
		names: 'dict(?:ionary)?|object|mapping|map',
		matches: (value) => typeof value === 'object' && !Array.isArray(value),
	},
];

/** What Go reads as a duration. */
export const DURATION_EXAMPLE = 'a duration such as 30m or 2h';

/** Go, for example Ollama's keep_alive: `time: missing unit in duration "5"` */
const DURATION =
	/\btime: (?:invalid duration|missing unit in duration|unknown unit)\b|\binvalid duration\b|\bof type (?:api|time)\.Duration\b/i;

const KIND_START = String.raw`(?:\bvalid |\bmust be (?:of type )?(?:an? )?(?:valid )?|\bexpected (?:an? )?(?:type )?|\bnot (?:of type |an? (?:valid )?)['"\x60]?|\bshould be (?:an? )?(?:valid )?|\bof type )['"\x60<]?`;

function parseKind(message: string, value: unknown): KindLimit | undefined {
	if (DURATION.test(message)) return { type: 'kind', kind: DURATION_EXAMPLE };
	for (const { noun, names, matches } of KINDS) {
		const isNamed = new RegExp(
			String.raw`${KIND_START}(?:${names})s?\b(?! (?:with|between))`,
			'i',
		).test(message);
		if (isNamed && (value === undefined || !matches(value))) return { type: 'kind', kind: noun };
	}
	return undefined;
}
