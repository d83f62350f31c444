export function text(value: unknown): string | undefined {
	return typeof value === 'string' ? value : undefined;
}

/**
 * Any part of a JSON answer as words. Not `String`, which fails for `{"toString":1}` and says nothing of other objects.
 */
export function words(value: unknown): string {
	return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** A text of at most so many characters, the last of which says that it was cut. */
export function shortened(text: string, most: number): string {
	const characters = [...text.slice(0, 2 * most + 1)];
	return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}

/** What was thrown, in words: mostly an `Error`. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What walks through deeper values overflows: `JSON.stringify`, n8n's own copies. No data of people is as deep. */
const MAX_DEPTH = 500;

/** Undefined where the text is no JSON, which has no undefined of its own, or is nested too deeply to work with. */
export function parseJson(source: string): unknown {
	const value = quietly(() => JSON.parse(source) as unknown);
	return source.length > 2 * MAX_DEPTH && isDeeper(value, MAX_DEPTH) ? undefined : value;
}

/** What a work gives; undefined where it throws, for work that is allowed to fail. */
export function quietly<T>(work: () => T): T | undefined {
	try {
		return work();
	} catch {
		return undefined;
	}
}

function isDeeper(value: unknown, depth: number): boolean {
	if (typeof value !== 'object' || value === null) return false;
	return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1));
}

/** JSON with texts in place of the numbers that JavaScript cannot hold, and these numbers. */
export interface ExactJson {
	value: unknown;
	large: string[];
}

const MAX_NAMED = 4;

/** Whatever may be such a number, or hides one in a text. One sign at a time: patterns for whole texts overflow. */
const TOKENS = /"|\\[^]|-?(?:\d[\d.eE+-]*|(?:NaN|Infinity)\b)/g;

/**
 * Reads JSON without losing a number. Python also writes `NaN`, `Infinity` and `-Infinity`, which no JSON has, and whole
 * numbers of any length.
 *
 * @param parsed the same, where it was read already
 */
export function exactJson(json: string, parsed = parseJson(json)): ExactJson {
	if (!(parsed === undefined ? /NaN|Infinity/ : /\d{16}|e\+?\d{3}/i).test(json)) return { value: parsed, large: [] };
	const large: string[] = [];
	let quoted = false;
	const kept = json.replace(TOKENS, (token) => {
		if (token === '"') quoted = !quoted;
		if (quoted || /^["\\]/.test(token) || isExact(token)) return token;
		large.push(token);
		return `"${token}"`;
	});
	return { value: large.length === 0 ? parsed : (parseJson(kept) ?? parsed), large };
}

/** What the user should know of such numbers. */
export function keptAsText(numbers: Iterable<string>): string[] {
	const [first, ...more] = new Set(numbers);
	if (first === undefined) return [];
	const names = [first, ...more.slice(0, MAX_NAMED)].join(', ') + (more.length > MAX_NAMED ? ', …' : '');
	return [`No number of JavaScript holds ${names} exactly: kept as text.`];
}

function isExact(token: string): boolean {
	const number = Number(token);
	return Number.isFinite(number) && (Number.isSafeInteger(number) || String(number) === token || /[.eE]/.test(token));
}

/** A JSON object out of a text, or undefined. */
export function parseObject(body: string): Record<string, unknown> | undefined {
	const value = body.trimStart().startsWith('{') ? parseJson(body) : undefined;
	return isRecord(value) ? value : undefined;
}

/** JSON text with the keys of every object in order: equal for values that are equal. */
export function canonicalJson(value: unknown): string {
	return JSON.stringify(value, (_key, inner: unknown) =>
		isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
	);
}

const SWITCH_WORDS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
	...[true, 1, 'true', '1', 'yes', 'on'].map((value): [unknown, boolean] => [value, true]),
	...[false, 0, 'false', '0', 'no', 'off'].map((value): [unknown, boolean] => [value, false]),
]);

/** On or off, as expressions, forms and tables say it; undefined for what says neither. */
export function switchOf(value: unknown): boolean | undefined {
	return SWITCH_WORDS.get(typeof value === 'string' ? value.trim().toLowerCase() : value);
}

export type JsonRecord = Record<string, unknown>;

/**
 * A text that says something: Dify's versions send null, an empty text or nothing for the same
 * (docs/protocols/dify.md 3.11).
 */
export function nonEmptyText(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' ? value : undefined;
}

export function finiteNumber(value: unknown): number | undefined {
	return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A number, also as the text of one. */
export function plainNumber(value: unknown): number | undefined {
	const isText = typeof value === 'string' && /^[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?$/i.test(value.trim());
	return finiteNumber(isText ? Number(value) : value);
}

export function asList(value: unknown): unknown[] {
	return Array.isArray(value) ? (value as unknown[]) : [];
}

export function recordsIn(value: unknown): JsonRecord[] {
	return asList(value).filter(isRecord);
}

export function recordOf(value: unknown): JsonRecord {
	return isRecord(value) ? value : {};
}

/** Whether a value says anything: not null, not absent, not an empty text, list or object. */
export function isFilled(value: unknown): boolean {
	if (value === null || value === undefined || value === '') return false;
	if (Array.isArray(value)) return value.length > 0;
	return !isRecord(value) || Object.keys(value).length > 0;
}

/** The fields that say anything. */
export function filled<T extends object>(fields: T): Partial<T> {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => isFilled(value))) as Partial<T>;
}

/** The fields that are not undefined: `...optional({ a, b })` adds none to an object that it does not set. */
export function optional<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
		[K in keyof T]?: Exclude<T[K], undefined>;
	};
}
