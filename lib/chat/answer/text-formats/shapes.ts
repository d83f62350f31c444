import { memoized } from '../../../lru-cache';
import { isRecord, parseJson, recordOf } from '../../../values';
import { Untyped } from './arguments';
import { END_TOKENS, type Form, type Shape } from './forms';
import { type Place, type Reading, type Source, Stopped } from './source';
import { JSON_NOTATION, type Listener, PYTHON_NOTATION, readObject, readValue } from './values';

/** A call as a model wrote it, with unchecked name and arguments. */
export interface WrittenCall {
	name: string;
	/** Undefined if there were none. */
	arguments: Record<string, unknown> | undefined;
	/** Its range in the text, without outer markers. */
	from: Place;
	to: Place;
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
export interface CallsReading {
	source: Source;
	/** Called with every name as soon as it is known; throws `Stopped` for an unknown one. */
	named(name: string): void;
	/** All tool names, for forms in which only a name tells a call from text. */
	names: readonly string[];
	calls: WrittenCall[];
}

const NOTHING_AROUND: NonNullable<Form['around']> = { open: [], close: [] };

/** The opening markers of a form, and all markers that may occur between calls. */
export const markersOf = memoized(({ shape, around = NOTHING_AROUND }: Form) => {
	const begins: readonly string[] =
		shape.kind === 'python' ? [] : shape.kind === 'tagged' ? [shape.open] : (shape.open ?? []);
	return { begins, tokens: [...around.open, ...around.close, ...begins, ...END_TOKENS] };
});

/**
 * Reads calls and the markers around them, from after the first marker up to the end of the text.
 *
 * @param opening the first marker; empty if there is none
 * @returns whether the end was marked
 */
export function* readBlock(reading: CallsReading, form: Form, opening: string): Reading<boolean> {
	const { source, calls } = reading;
	const { shape, around = NOTHING_AROUND } = form;
	const { begins, tokens } = markersOf(form);
	let [isCall, isOpen, isMarked, hasEnded] = [
		opening === '' || begins.includes(opening),
		false,
		false,
		false,
	];
	isOpen = around.open.includes(opening);
	for (;;) {
		if (isCall)
			isMarked = yield* readCalls(reading, shape, form.bare === true || form.told === 'incomplete');
		yield* source.blank();
		const token = yield* source.oneOf(tokens);
		isCall = token === undefined ? begins.length === 0 : begins.includes(token);
		if (token === undefined && (yield* source.peek()) === '') {
			if (calls.length === 0) throw new Stopped('incomplete');
			return hasEnded || (isMarked && !isOpen);
		}
		if (hasEnded && !END_TOKENS.includes(token ?? '')) throw new Stopped('followed');
		if (token === undefined && !isCall) throw new Stopped('broken');
		if (token === undefined) continue;
		if (around.open.includes(token)) isOpen = true;
		else if (around.close.includes(token)) isOpen = false;
		else hasEnded ||= !isCall;
	}
}

/**
 * Reads one call, or several adjacent ones, after their opening marker.
 *
 * @param isBare whether the calls have no markers
 * @returns whether their closing marker was there; servers may have removed it at the end of the answer
 */
function* readCalls(reading: CallsReading, shape: Shape, isBare: boolean): Reading<boolean> {
	switch (shape.kind) {
		case 'json':
			return yield* readJson(reading, shape, isBare);
		case 'named':
			return yield* readNamed(reading, shape, isBare);
		case 'tagged':
			return yield* readTagged(reading, shape);
		case 'python':
			return yield* readPython(reading, shape);
	}
}

type ShapeOf<Kind extends Shape['kind']> = Extract<Shape, { kind: Kind }>;

function* readJson(
	reading: CallsReading,
	{ close, nameIsKey, separated }: ShapeOf<'json'>,
	isBare: boolean,
): Reading<boolean> {
	const { source } = reading;
	const listener: Listener = {
		...(nameIsKey ? {} : { named: (name: string) => reading.named(name) }),
		call: (value, from) => {
			const call = nameIsKey ? keyedCall(value) : jsonCall(value);
			if (nameIsKey) reading.named(call.name);
			add(reading, call, from);
		},
		...(isBare ? { firstKeys: BARE_KEYS } : {}),
	};
	for (let isFirst = true; ; isFirst = false) {
		yield* source.blank();
		if (separated && !isFirst) {
			yield* source.oneOf(SEPARATORS);
			yield* source.blank();
		}
		if (!isFirst && close !== undefined && (yield* source.oneOf(close)) !== undefined) return true;
		const next = yield* source.peek();
		if (next !== '{' && next !== '[') {
			if (isFirst) throw new Stopped(next === '' ? 'incomplete' : 'broken');
			return yield* closed(source, close);
		}
		const before = reading.calls.length;
		yield* readValue(source, JSON_NOTATION, listener, 'call');
		if (reading.calls.length === before) throw new Stopped('broken');
	}
}

function jsonCall(value: unknown): Pick<WrittenCall, 'name' | 'arguments'> {
	const fn = isRecord(value) && isRecord(value.function) ? value.function : recordOf(value);
	const name = fn.name ?? fn.tool_name ?? fn.tool;
	const given = fn.arguments ?? fn.parameters ?? fn.args;
	const args = typeof given === 'string' ? parseJson(given) : given;
	// The tool's definition, repeated by the model.
	const isDefinition = 'description' in fn && isRecord(args) && isRecord(args.properties);
	if (typeof name !== 'string' || isDefinition || (args !== undefined && !isRecord(args)))
		throw new Stopped('broken');
	return { name, arguments: args };
}

function keyedCall(value: unknown): Pick<WrittenCall, 'name' | 'arguments'> {
	const [[name, args] = [], ...more] = Object.entries(recordOf(value));
	if (name === undefined || !isRecord(args) || more.length > 0) throw new Stopped('broken');
	return { name, arguments: args };
}

function* readNamed(
	reading: CallsReading,
	{ open, idEnd, between = [], close, notation = JSON_NOTATION }: ShapeOf<'named'>,
	isBare: boolean,
): Reading<boolean> {
	const { source } = reading;
	if (idEnd !== undefined) yield* attributes(source, [idEnd]);
	const from = source.place;
	yield* source.blank();
	// Without a marker, only a tool's name tells a call from other text.
	const name =
		isBare && open === undefined
			? yield* source.expect(reading.names)
			: yield* nameAt(source, NAME);
	if (!isBare) reading.named(name);
	for (let mark: string | undefined = ''; mark !== undefined; ) {
		yield* source.blank();
		mark = yield* source.oneOf(between);
		if (mark === '[CALL_ID]') yield* source.run(/[\w-]/, MAX_NAME);
	}
	if ((yield* source.need()) === '{') reading.named(name);
	add(reading, { name, arguments: yield* readObject(source, notation) }, from);
	return yield* closed(source, close);
}

function* readTagged(reading: CallsReading, shape: ShapeOf<'tagged'>): Reading<boolean> {
	const { source } = reading;
	const from = source.place;
	yield* source.blank();
	const name = yield* nameAt(source, NAME);
	reading.named(name);
	if (shape.end.length > 0) yield* attributes(source, shape.end);
	const args = new Map<string, unknown>();
	const next = [shape.key, shape.close];
	for (;;) {
		yield* source.blank();
		if ((yield* source.expect(next)) === shape.close) break;
		yield* source.blank();
		const key = yield* nameAt(source, /[^<>"\s]/);
		if (args.has(key)) throw new Stopped('broken');
		const said = yield* attributes(
			source,
			shape.value === undefined ? shape.end : [shape.value[0]],
		);
		if (shape.value !== undefined) {
			yield* source.blank();
			yield* source.expect([shape.value[1]]);
		}
		const text = yield* textUpTo(source, shape.valueEnd, next);
		const cdata = /^\s*<!\[CDATA\[([^]*)\]\]>\s*$/.exec(text)?.[1] ?? text;
		args.set(key, /string="true"/.test(said) ? cdata : new Untyped(cdata));
	}
	add(reading, { name, arguments: Object.fromEntries(args) }, from);
	return true;
}

/** The text between a name and the end of its tag. */
function* attributes(source: Source, ends: readonly string[]): Reading<string> {
	let said = '';
	for (;;) {
		if ((yield* source.oneOf(ends)) !== undefined) return said;
		said += yield* source.need();
		source.at += 1;
		if (said.length > MAX_ATTRIBUTES || /[<\n]\s*\S/.test(said)) throw new Stopped('broken');
	}
}

/**
 * The text up to the closing tag. It counts only if another tag of the call follows, because the value may contain such
 * a tag itself.
 */
function* textUpTo(source: Source, end: string, next: readonly string[]): Reading<string> {
	const parts: string[] = [];
	const stops = new Set([end[0]!]);
	const ends = [end];
	for (;;) {
		yield* source.upTo(stops, parts);
		if ((yield* source.oneOf(ends)) === undefined) {
			parts.push(yield* source.need());
			source.at += 1;
			continue;
		}
		const behind = source.place;
		yield* source.blank();
		const tag = source.place;
		const follows = yield* source.oneOf(next);
		source.back(follows === undefined ? behind : tag);
		if (follows !== undefined) return parts.join('').replace(/^\n/, '').replace(/\n$/, '');
		if ((yield* source.peek()) === '') throw new Stopped('incomplete');
		parts.push(end);
	}
}

function* readPython(reading: CallsReading, { isList }: ShapeOf<'python'>): Reading<boolean> {
	const { source } = reading;
	if (isList) yield* source.expect(['[']);
	for (;;) {
		yield* source.blank();
		const from = source.place;
		const name = yield* source.expect(reading.names);
		yield* source.blank();
		yield* source.expect(['(']);
		const args = new Map<string, unknown>();
		for (;;) {
			yield* source.blank();
			if ((yield* source.need()) === ')') break;
			if (args.size > 0) yield* source.expect([',']);
			yield* source.blank();
			const key = yield* nameAt(source, /\w/);
			yield* source.blank();
			yield* source.expect(['=']);
			if (args.has(key)) throw new Stopped('broken');
			args.set(key, yield* readValue(source, PYTHON_NOTATION));
		}
		source.at += 1;
		reading.named(name);
		add(reading, { name, arguments: Object.fromEntries(args) }, from);
		if (!isList) return true;
		yield* source.blank();
		if ((yield* source.expect([',', ']'])) === ']') return true;
	}
}

function* nameAt(source: Source, pattern: RegExp): Reading<string> {
	const name = yield* source.run(pattern, MAX_NAME);
	yield* source.need();
	if (name === '') throw new Stopped('broken');
	return name;
}

function* closed(source: Source, close: readonly string[] | undefined): Reading<boolean> {
	if (close === undefined) return false;
	const place = source.place;
	yield* source.blank();
	if ((yield* source.oneOf(close)) !== undefined) return true;
	const isOver = (yield* source.peek()) === '';
	if (!isOver) throw new Stopped('broken');
	source.back(place);
	return false;
}

function add(
	reading: CallsReading,
	call: Pick<WrittenCall, 'name' | 'arguments'>,
	from: Place,
): void {
	if (reading.calls.length >= MAX_CALLS) throw new Stopped('broken');
	reading.calls.push({ ...call, from, to: reading.source.place });
}
