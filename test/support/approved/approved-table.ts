/**
 * Tables of outcomes that a person has read and approved: many inputs, each with what became of it, where no rule says the
 * outcome better than the code does. A bug of any kind changes a row, and the test shows the rows that changed.
 */
import * as fs from 'node:fs';
import path from 'node:path';
import { isWriting } from './is-writing';
import { canWrite, describeExcess, findExcess, readToDo, updateToDo } from './table-size';

/** An input and its outcome. */
export interface ApprovedRow {
	/** Differs from that of each other row. */
	input: string;
	/** A text, or a value that is written as JSON. */
	outcome: unknown;
}

/** Between an input and its outcome. */
const ARROW = ' => ';

/**
 * Compares a table with its approved form, one row a line; with `CONTRACT_WRITE=1` it writes that form instead.
 *
 * @param file where the approved form is: in the `__dirname` of the test, with a name that ends in `.approved.txt`
 * @param promise what all rows stand for, so that a failure says what broke
 */
export function expectApproved(file: string, rows: readonly ApprovedRow[], promise: string): void {
	const numberWords = createWordNumbers();
	const lines = rows.map(({ input, outcome }) =>
		toLine(input + ARROW + numberWords(toText(outcome))),
	);
	const inputs = new Set(rows.map(({ input }) => input));
	expect({ rows: inputs.size }).toEqual({ rows: rows.length });
	expect(lines).not.toEqual([]);
	const name = path.relative(process.cwd(), file);
	const excess = findExcess(name, lines, getWordsOfErrors());
	const allowed = readToDo().get(name);
	const isAccepted = isWriting && canWrite(name, excess, allowed);
	const tooLarge = isAccepted ? [] : describeExcess(excess, allowed);
	// What changed says why it is too large.
	const grown = tooLarge.length === 0 ? [] : describeChanges(file, read(file), lines);
	expect({ table: name, promise, has: [...tooLarge, ...grown] }).toEqual({
		table: name,
		promise,
		has: [],
	});
	if (isWriting) {
		write(file, lines);
		if (describeExcess(excess, allowed).length > 0) updateToDo(name, excess);
	} else {
		const changes = describeChanges(file, read(file), lines);
		expect(changes.length === 0 ? {} : { promise, changes }).toEqual({});
	}
}

/** What one of several places, such as servers, makes of a subject. */
export interface PlacedOutcome {
	subject: string;
	place: string;
	outcome: unknown;
}

/** One row for all places in which the outcome of a subject is the same: `subject at place, place`, or `at all`. */
export function joinPlaces(all: readonly PlacedOutcome[]): ApprovedRow[] {
	const rows = new Map<string, { subject: string; places: string[]; outcome: unknown }>();
	for (const { subject, place, outcome } of all) {
		const key = JSON.stringify([subject, outcome]);
		const row = rows.get(key) ?? { subject, places: [], outcome };
		row.places.push(place);
		rows.set(key, row);
	}
	const count = new Set(all.map(({ place }) => place)).size;
	return [...rows.values()].map(({ subject, places, outcome }) => ({
		input: `${subject} at ${places.length === count ? 'all' : places.join(', ')}`,
		outcome,
	}));
}

/**
 * What functions make of texts: `text | function, function`. An outcome that is the text itself, undefined, empty or false has no
 * row.
 *
 * @param functions by the names of their rows
 */
export function applyToTexts(
	functions: Readonly<Record<string, (text: string) => unknown>>,
	texts: readonly string[],
): ApprovedRow[] {
	return texts.flatMap((text) => {
		const rows = new Map<string, { names: string[]; outcome: unknown }>();
		for (const [name, apply] of Object.entries(functions)) {
			const outcome = apply(text);
			const key = JSON.stringify(outcome) ?? '';
			if (outcome === text || ['', '""', '[]', '{}', 'false', 'null'].includes(key)) continue;
			const row = rows.get(key) ?? { names: [], outcome };
			row.names.push(name);
			rows.set(key, row);
		}
		return [...rows.values()].map(({ names, outcome }) => ({
			input: `${JSON.stringify(text)} | ${names.join(', ')}`,
			outcome,
		}));
	});
}

/** @returns nothing if both are the same, otherwise what to do, and the rows that differ */
export function describeChanges(
	file: string,
	approved: readonly string[],
	lines: readonly string[],
): string[] {
	const isSame =
		approved.length === lines.length && lines.every((line, at) => line === approved[at]);
	if (isSame) return [];
	const changes = [...toChanges(approved, lines, '-'), ...toChanges(lines, approved, '+')].sort(
		(left, right) => left.at - right.at || (left.sign === '-' ? -1 : 1),
	);
	const name = path.relative(process.cwd(), file);
	return [
		`Other outcomes than ${name} has. If each of these lines is right, write them: ${getCommand(name)}`,
		...(changes.length === 0 ? ['The same rows, in another order.'] : []),
		...changes.map(({ sign, line }) => `${sign} ${line}`),
	];
}

/** A line that only one of two tables has. */
interface Change {
	/** Where it is in its table. */
	at: number;
	sign: '-' | '+';
	line: string;
}

function toChanges(
	lines: readonly string[],
	others: readonly string[],
	sign: Change['sign'],
): Change[] {
	const known = new Set(others);
	return lines.flatMap((line, at) => (known.has(line) ? [] : [{ at, sign, line }]));
}

function getCommand(name: string): string {
	return `CONTRACT_WRITE=1 npm test -- ${path.dirname(name)}`;
}

function read(file: string): string[] {
	if (!fs.existsSync(file)) return [];
	const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
	return lines.filter((line) => !line.startsWith('# '));
}

function write(file: string, lines: readonly string[]): void {
	const head = `# ${getCommand(path.relative(process.cwd(), file))} writes this file. Read each line that changes.`;
	fs.writeFileSync(file, `${[head, ...lines].join('\n')}\n`);
}

function toText(outcome: unknown): string {
	return typeof outcome === 'string' ? outcome : (JSON.stringify(outcome) ?? 'undefined');
}

/** The words of errors that this test file has produced so far (`test/support/jest/error-texts.ts`). */
export function getTextsOfErrors(): ReadonlySet<string> {
	const { textsOfErrors = new Set() } = globalThis as { textsOfErrors?: ReadonlySet<string> };
	return textsOfErrors;
}

/** The same, as rows have them. */
function getWordsOfErrors(): string[] {
	const all = [...getTextsOfErrors()].map(toLine);
	return [...new Set(all.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]))];
}

/** A type of error, and its words between signs (`markWords`). */
const MARKED_WORDS = /(\w*)⟦([^⟧]*)⟧/g;

/**
 * In place of the words of errors, their number among all words of that type in a table, none for the first: where two rows
 * have the same number, an error of this type says the same. So a changed word changes no row.
 */
function createWordNumbers(): (text: string) => string {
	const known = new Map<string, string[]>();
	return (text) =>
		text.replace(MARKED_WORDS, (_marked, type: string, words: string) => {
			const all = known.get(type) ?? [];
			known.set(type, all);
			if (!all.includes(words)) all.push(words);
			const number = all.indexOf(words) + 1;
			return number === 1 ? type : `${type} (${number})`;
		});
}

/** Characters that an editor shows as nothing or as a line break. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Without line breaks and characters that are not seen, and without blanks at its end. */
function toLine(text: string): string {
	const line = text.replace(/\r/g, '\\r').replace(/\n/g, '\\n').trimEnd();
	return line.replace(UNSEEN, (character) => {
		const code = character.codePointAt(0)!.toString(16).padStart(4, '0');
		return `\\u${code}`;
	});
}
