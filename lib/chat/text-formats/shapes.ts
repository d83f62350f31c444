import { memoized } from '../../lru-cache';
import { parseJson } from '../../json';
import { isRecord, type JsonRecord, recordOf } from '../../values';
import { Untyped } from './arguments';
import { END_TOKENS, type Form, type Shape } from './forms';
import { type Source, stop } from './source';
import {
	JSON_NOTATION,
	type Listener,
	PYTHON_NOTATION,
	readJsonCalls,
	readObject,
	readValue,
} from './values';

/** A name and arguments, unchecked. */
interface NameAndArguments {
	name: string;
	/** Undefined if there were none. */
	arguments: JsonRecord | undefined;
}

/** A call as a model wrote it, and its range in the source without outer markers. */
export interface WrittenCall extends NameAndArguments {
	from: number;
	to: number;
}

const MAX_NAME = 128;
const MAX_ATTRIBUTES = 64;
const MAX_CALLS = 32;
const SEPARATORS: readonly string[] = [';', ','];
const NAME = /[\w.:/-]/;
const BARE_KEYS: ReadonlySet<string> = new Set([
	'name',
	'type',
	'function',
	'tool_name',
	'tool_call_id',
]);

/** The state of reading calls. */
interface CallsReading {
	source: Source;
	/** Called with every name as soon as it is known; stops for an unknown one. */
	named(name: string): void;
	/** All tool names, for forms in which only a name tells a call from text. */
	names: readonly string[];
	calls: WrittenCall[];
}

/** What a marker does: it begins a call, opens or closes what is around the calls, or ends the answer. */
type Part = 'call' | 'open' | 'close' | 'end';

const NOTHING_AROUND: NonNullable<Form['around']> = { open: [], close: [] };

/** The opening markers of a form, and all markers that may occur between calls. */
export const markersOf = memoized(({ shape, around = NOTHING_AROUND }: Form) => {
	const begins = openingsOf(shape);
	const parts = new Map<string, Part>([
		...all(END_TOKENS, 'end'),
		...all(begins, 'call'),
		...all(around.close, 'close'),
		...all(around.open, 'open'),
	]);
	return { begins, parts, tokens: [...parts.keys()] };
});

function all(tokens: readonly string[], part: Part): Array<[string, Part]> {
	return tokens.map((token) => [token, part]);
}

function openingsOf(shape: Shape): readonly string[] {
	switch (shape.kind) {
		case 'python':
			return [];
		case 'tagged':
			return [shape.open];
		default:
			return shape.open ?? [];
	}
}

/**
 * Reads calls and the markers around them, from after the first marker up to the end of the text.
 *
 * @param opening the first marker; empty if there is none
 * @returns whether the end was marked
 */
export function readBlock(reading: CallsReading, form: Form, opening: string): boolean {
	let part: Part = opening === '' ? 'call' : partOf(opening, form);
	let isOpen = false;
	let isMarked = false;
	for (;;) {
		if (part === 'open') isOpen = true;
		if (part === 'close') isOpen = false;
		if (part === 'call') isMarked = readCalls(reading, form);
		if (part === 'end') {
			readEndTokens(reading, form);
			return true;
		}
		const token = nextToken(reading, form);
		if (token === undefined) return isMarked && !isOpen;
		part = partOf(token, form);
	}
}

/** Nothing else may follow the end of an answer. */
function readEndTokens(reading: CallsReading, form: Form): void {
	let token = nextToken(reading, form);
	while (token !== undefined) {
		if (!END_TOKENS.includes(token)) stop('followed');
		token = nextToken(reading, form);
	}
}

/** The next marker: empty if there is none, undefined at the end of the text. */
function nextToken({ source, calls }: CallsReading, form: Form): string | undefined {
	source.blank();
	const token = source.oneOf(markersOf(form).tokens);
	if (token !== undefined || source.peek() !== '') return token ?? '';
	if (calls.length === 0) stop('incomplete');
	return undefined;
}

/** What comes after a marker. Without one, it is a call, if calls of this form need none. */
function partOf(token: string, form: Form): Part {
	const { begins, parts } = markersOf(form);
	if (token !== '') return parts.get(token)!;
	return begins.length === 0 ? 'call' : stop('broken');
}

/**
 * Reads one call, or several adjacent ones, after their opening marker.
 *
 * @returns whether their closing marker was there; servers may have removed it at the end of the answer
 */
function readCalls(reading: CallsReading, { shape, bare, reportedAs }: Form): boolean {
	/** The calls have no markers. */
	const isBare = bare === true || reportedAs === 'incomplete';
	switch (shape.kind) {
		case 'json':
			return readJson(reading, shape, isBare);
		case 'named':
			return readNamed(reading, shape, isBare);
		case 'tagged':
			return readTagged(reading, shape);
		case 'python':
			return readPython(reading, shape);
	}
}

type ShapeOf<Kind extends Shape['kind']> = Extract<Shape, { kind: Kind }>;

function readJson(reading: CallsReading, shape: ShapeOf<'json'>, isBare: boolean): boolean {
	const { source } = reading;
	const { close, separated } = shape;
	const listener = listenerFor(reading, shape, isBare);
	source.blank();
	if (!beginsJson(source)) stop(source.peek() === '' ? 'incomplete' : 'broken');
	do {
		const before = reading.calls.length;
		readJsonCalls(source, listener);
		if (reading.calls.length === before) stop('broken');
		source.blank();
		if (separated && source.oneOf(SEPARATORS) !== undefined) source.blank();
		if (close !== undefined && source.oneOf(close) !== undefined) return true;
	} while (beginsJson(source));
	return isClosed(source, close);
}

function beginsJson(source: Source): boolean {
	return ['{', '['].includes(source.peek());
}

function listenerFor(
	reading: CallsReading,
	{ nameIsKey }: ShapeOf<'json'>,
	isBare: boolean,
): Listener {
	const firstKeys = isBare ? { firstKeys: BARE_KEYS } : {};
	if (nameIsKey)
		return {
			...firstKeys,
			call(value, from) {
				const call = keyedCall(value);
				reading.named(call.name);
				add(reading, call, from);
			},
		};
	return {
		...firstKeys,
		named: (name) => reading.named(name),
		call: (value, from) => add(reading, jsonCall(value), from),
	};
}

function jsonCall(value: JsonRecord): NameAndArguments {
	const fn = isRecord(value.function) ? value.function : value;
	const name = fn.name ?? fn.tool_name ?? fn.tool;
	if (typeof name !== 'string') return stop('broken');
	const args = jsonArguments(fn);
	// The tool's definition, repeated by the model.
	if ('description' in fn && isRecord(args?.properties)) return stop('broken');
	return { name, arguments: args };
}

function jsonArguments(fn: JsonRecord): JsonRecord | undefined {
	const written = fn.arguments ?? fn.parameters ?? fn.args;
	const args = typeof written === 'string' ? parseJson(written) : written;
	return args === undefined || isRecord(args) ? args : stop('broken');
}

function keyedCall(value: unknown): NameAndArguments {
	const [[name, args] = [], ...more] = Object.entries(recordOf(value));
	if (name === undefined || !isRecord(args) || more.length > 0) return stop('broken');
	return { name, arguments: args };
}

function readNamed(reading: CallsReading, shape: ShapeOf<'named'>, isBare: boolean): boolean {
	const { source } = reading;
	const { open, idEnd, between = [], close, notation = JSON_NOTATION } = shape;
	if (idEnd !== undefined) attributes(source, [idEnd]);
	const from = source.at;
	source.blank();
	// Without a marker, only a tool's name tells a call from other text.
	const name = isBare && open === undefined ? source.expect(reading.names) : nameAt(source, NAME);
	if (!isBare) reading.named(name);
	skipMarkers(source, between);
	if (source.need() === '{') reading.named(name);
	add(reading, { name, arguments: readObject(source, notation) }, from);
	return isClosed(source, close);
}

/** Optional markers between a name and its arguments. `[CALL_ID]` is followed by an ID. */
function skipMarkers(source: Source, markers: readonly string[]): void {
	let marker: string | undefined;
	do {
		source.blank();
		marker = source.oneOf(markers);
		if (marker === '[CALL_ID]') source.run(/[\w-]/, MAX_NAME);
	} while (marker !== undefined);
}

function readTagged(reading: CallsReading, shape: ShapeOf<'tagged'>): boolean {
	const { source } = reading;
	const from = source.at;
	source.blank();
	const name = nameAt(source, NAME);
	reading.named(name);
	if (shape.end.length > 0) attributes(source, shape.end);
	const args = new Map<string, unknown>();
	const tags = [shape.key, shape.close];
	source.blank();
	while (source.expect(tags) === shape.key) {
		source.blank();
		const key = nameAt(source, /[^<>"\s]/);
		if (args.has(key)) stop('broken');
		args.set(key, taggedValue(source, shape, tags));
		source.blank();
	}
	add(reading, { name, arguments: Object.fromEntries(args) }, from);
	return true;
}

function taggedValue(source: Source, shape: ShapeOf<'tagged'>, tags: readonly string[]): unknown {
	const keyAttributes = attributes(source, shape.value?.slice(0, 1) ?? shape.end);
	if (shape.value !== undefined) {
		source.blank();
		source.expect([shape.value[1]]);
	}
	const text = textUpTo(source, shape.valueEnd, tags);
	const content = /^\s*<!\[CDATA\[([^]*)\]\]>\s*$/.exec(text)?.[1] ?? text;
	return /string="true"/.test(keyAttributes) ? content : new Untyped(content);
}

/** The text between a name and the end of its tag. */
function attributes(source: Source, ends: readonly string[]): string {
	const start = source.at;
	for (;;) {
		const text = source.text.slice(start, source.at);
		if (source.oneOf(ends) !== undefined) return text;
		if (text.length > MAX_ATTRIBUTES || /[<\n]\s*\S/.test(text)) stop('broken');
		source.need();
		source.at += 1;
	}
}

/**
 * The text up to the closing tag. It counts only if another tag of the call follows, because the value may contain such
 * a tag itself.
 */
function textUpTo(source: Source, end: string, tags: readonly string[]): string {
	const start = source.at;
	for (;;) {
		source.skipTo(end[0]!);
		const here = source.at;
		if (source.oneOf([end]) === undefined) {
			source.at = here + 1;
			continue;
		}
		const behind = source.at;
		source.blank();
		const tag = source.at;
		if (source.oneOf(tags) !== undefined) {
			source.at = tag;
			return source.text.slice(start, here).replace(/^\n/, '').replace(/\n$/, '');
		}
		source.at = behind;
		if (source.peek() === '') stop('incomplete');
	}
}

function readPython(reading: CallsReading, { isList }: ShapeOf<'python'>): boolean {
	const { source } = reading;
	if (isList) source.expect(['[']);
	do {
		source.blank();
		const from = source.at;
		const name = source.expect(reading.names);
		source.blank();
		source.expect(['(']);
		const args = readPythonArguments(source);
		reading.named(name);
		add(reading, { name, arguments: args }, from);
		if (!isList) return true;
		source.blank();
	} while (source.expect([',', ']']) === ',');
	return true;
}

function readPythonArguments(source: Source): JsonRecord {
	const args = new Map<string, unknown>();
	for (;;) {
		source.blank();
		if (source.need() === ')') break;
		if (args.size > 0) source.expect([',']);
		source.blank();
		const key = nameAt(source, /\w/);
		source.blank();
		source.expect(['=']);
		if (args.has(key)) stop('broken');
		args.set(key, readValue(source, PYTHON_NOTATION));
	}
	source.at += 1;
	return Object.fromEntries(args);
}

function nameAt(source: Source, pattern: RegExp): string {
	const name = source.run(pattern, MAX_NAME);
	source.need();
	return name || stop('broken');
}

/** Consumes the closing marker. @returns whether it was there; it may lack only at the end of the text */
function isClosed(source: Source, close: readonly string[] | undefined): boolean {
	if (close === undefined) return false;
	const here = source.at;
	source.blank();
	if (source.oneOf(close) !== undefined) return true;
	if (source.peek() !== '') stop('broken');
	source.at = here;
	return false;
}

function add(reading: CallsReading, call: NameAndArguments, from: number): void {
	if (reading.calls.length >= MAX_CALLS) stop('broken');
	reading.calls.push({ ...call, from, to: reading.source.at });
}
