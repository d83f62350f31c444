import { JsonEnd } from '../../http/json-end';
import type { ToolCallMarkup } from '../../servers/kinds/kind';
import { isRecord, parseJson, parseObject } from '../../values';
import type { ToolDefinition } from '../types';

/** A call that the model wrote into its text. */
export interface WrittenCall {
	name: string;
	/** JSON text of an object. */
	arguments: string;
}

/** Tools that were offered, by name. */
export type OfferedTools = ReadonlyMap<string, ToolDefinition>;

/**
 * What a text that begins with the opening of a call's markup is: `calls` with the length of their markup, plain
 * `text`, or `open` where what has not arrived yet decides. Whatever follows, a decision stays.
 */
export type MarkupReading = 'open' | 'text' | { calls: WrittenCall[]; length: number };

interface Form {
	markup: ToolCallMarkup;
	opening: string;
	/** `isEnd`: nothing follows, and the model ended its answer by itself. */
	read(text: string, tools: OfferedTools, isEnd: boolean): MarkupReading;
}

/** The forms in which models write calls when no parser of the server reads them. */
const FORMS: readonly Form[] = [
	{ markup: 'toolCallTag', opening: '<tool_call>', read: readToolCallTag },
	{ markup: 'functionTag', opening: '<function=', read: readFunctionTag },
	{ markup: 'mistral', opening: '[TOOL_CALLS]', read: readMistral },
	{ markup: 'pythonTag', opening: '<|python_tag|>', read: readPythonTag },
];

export const MARKUP_OPENINGS: readonly string[] = FORMS.map(({ opening }) => opening);

/** The form whose opening a text begins with. */
export function markupAt(text: string): Form | undefined {
	return FORMS.find(({ opening }) => text.startsWith(opening));
}

const MAX_NAME = 200;

/** Hermes, Qwen: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, and Qwen3-Coder with a function tag inside. */
function readToolCallTag(text: string, tools: OfferedTools, isEnd: boolean): MarkupReading {
	const calls: WrittenCall[] = [];
	for (let at = '<tool_call>'.length; ; ) {
		at = skipBlank(text, at);
		const closing = literalAt(text, at, '</tool_call>');
		if (closing === true) return calls.length === 0 ? 'text' : { calls, length: at + '</tool_call>'.length };
		// The closing tag is a token of its own for some models, and the server takes it out.
		if (closing === 'open') return isEnd && calls.length > 0 ? { calls, length: text.length } : 'open';
		const json = jsonAt(text, at);
		if (json === 'open') return 'open';
		if (json !== undefined) {
			const made = callsIn(json.value, tools);
			if (made === undefined) return 'text';
			calls.push(...made);
			at = json.end;
			continue;
		}
		const inner = functionAt(text, at, tools);
		if (typeof inner === 'string') return inner;
		calls.push(inner.call);
		at = inner.end;
	}
}

/**
 * Llama 3.1: `<function=NAME>{…}</function>`; Qwen3-Coder:
 * `<function=NAME><parameter=KEY>VALUE</parameter></function>`.
 */
function readFunctionTag(text: string, tools: OfferedTools): MarkupReading {
	const read = functionAt(text, 0, tools);
	return typeof read === 'string' ? read : { calls: [read.call], length: read.end };
}

function functionAt(
	text: string,
	start: number,
	tools: OfferedTools,
): 'open' | 'text' | { call: WrittenCall; end: number } {
	const head = tagAt(text, start, 'function');
	if (typeof head === 'string') return head;
	const tool = tools.get(head.value);
	if (tool === undefined) return 'text';
	let at = skipBlank(text, head.end);
	const json = jsonAt(text, at);
	if (json === 'open') return 'open';
	let args: Record<string, unknown> = {};
	if (json !== undefined) {
		if (!isRecord(json.value)) return 'text';
		args = json.value;
		at = skipBlank(text, json.end);
	}
	const values: Array<[string, unknown]> = [];
	for (;;) {
		const closing = literalAt(text, at, '</function>');
		if (closing === true) break;
		if (json !== undefined) return closing === 'open' ? 'open' : 'text';
		const key = closing === 'open' ? 'open' : tagAt(text, at, 'parameter');
		if (typeof key === 'string') return key;
		const value = parameterValue(text, key.end);
		if (value === undefined) return 'open';
		values.push([key.value, typed(value.text, propertyOf(tool, key.value))]);
		at = value.end;
	}
	if (json === undefined) args = Object.fromEntries(values);
	return { call: { name: tool.name, arguments: JSON.stringify(args) }, end: at + '</function>'.length };
}

/** `<kind=VALUE>` at a place. */
function tagAt(text: string, at: number, kind: string): 'open' | 'text' | { value: string; end: number } {
	const start = literalAt(text, at, `<${kind}=`);
	if (start !== true) return start === 'open' ? 'open' : 'text';
	const from = at + kind.length + 2;
	const name = /^[^<>\n]{0,200}/.exec(text.slice(from, from + MAX_NAME))![0];
	const end = from + name.length;
	if (end === text.length && name.length < MAX_NAME) return 'open';
	return text[end] === '>' ? { value: name.trim(), end: end + 1 } : 'text';
}

/** The text up to the closing tag that another tag of the call follows: the value may hold such a tag itself. */
function parameterValue(text: string, start: number): { text: string; end: number } | undefined {
	const closing = '</parameter>';
	for (let end = text.indexOf(closing, start); end >= 0; end = text.indexOf(closing, end + 1)) {
		const next = skipBlank(text, end + closing.length);
		const follows = ['</function>', '<parameter='].map((tag) => literalAt(text, next, tag));
		if (follows.includes('open')) return undefined;
		if (follows.includes(true))
			return { text: text.slice(start, end).replace(/^\n/, '').replace(/\n$/, ''), end: next };
	}
	return undefined;
}

function propertyOf({ parameters }: ToolDefinition, key: string): Record<string, unknown> {
	const property = isRecord(parameters.properties) ? parameters.properties[key] : undefined;
	return isRecord(property) ? property : {};
}

/**
 * A parameter's text as a value of the type that the tool's schema asks for; a text where that is allowed or nothing is
 * known.
 */
function typed(text: string, schema: Record<string, unknown>): unknown {
	const types = typesOf(schema);
	const value = parseJson(text.trim());
	if (value === null && types.has('null')) return null;
	if (types.has('string')) return text;
	if (types.size === 0) return isRecord(value) || Array.isArray(value) ? value : text;
	// Qwen3-Coder writes Python's words.
	if (types.has('boolean') && /^(?:true|false)$/i.test(text.trim())) return text.trim().toLowerCase() === 'true';
	return value === undefined ? text : value;
}

function typesOf(schema: Record<string, unknown>): Set<unknown> {
	const alternatives = [schema.anyOf, schema.oneOf].filter(Array.isArray).flat() as unknown[];
	const own =
		schema.type === undefined
			? Array.isArray(schema.enum)
				? schema.enum.map((one) => typeof one)
				: []
			: [schema.type].flat();
	return new Set([...own, ...alternatives.filter(isRecord).flatMap((one) => [...typesOf(one)])]);
}

/**
 * Mistral: `[TOOL_CALLS][{"name": …, "arguments": {…}}]`, since version 11 of its tokenizer
 * `[TOOL_CALLS]NAME[ARGS]{…}`.
 */
function readMistral(text: string, tools: OfferedTools): MarkupReading {
	const at = skipBlank(text, '[TOOL_CALLS]'.length);
	const json = jsonAt(text, at);
	if (json === 'open' || at === text.length) return 'open';
	if (json !== undefined) {
		const calls = callsIn(json.value, tools);
		return calls === undefined ? 'text' : { calls, length: json.end };
	}
	const name = /^[^\s[\]{}]*/.exec(text.slice(at, at + MAX_NAME))![0];
	const end = at + name.length;
	if (end === text.length) return [...tools.keys()].some((known) => known.startsWith(name)) ? 'open' : 'text';
	if (!tools.has(name)) return 'text';
	const rest = text.slice(end, end + MAX_NAME);
	const brace = rest.indexOf('{');
	if (brace < 0) return rest.length < MAX_NAME && /^[\s\w[\]-]*$/.test(rest) ? 'open' : 'text';
	if (!/^\s*(?:\[CALL_ID\][\w-]*)?\s*(?:\[ARGS\])?\s*$/.test(rest.slice(0, brace))) return 'text';
	const args = jsonAt(text, end + brace);
	if (args === undefined || args === 'open') return 'open';
	return isRecord(args.value) ? { calls: [{ name, arguments: JSON.stringify(args.value) }], length: args.end } : 'text';
}

/**
 * Llama 3: `<|python_tag|>{"name": …, "parameters": {…}}`, several parted by semicolons. What else follows the tag is
 * Python.
 */
function readPythonTag(text: string, tools: OfferedTools, isEnd: boolean): MarkupReading {
	const calls: WrittenCall[] = [];
	let length = 0;
	for (let at = '<|python_tag|>'.length; ; ) {
		at = skipBlank(text, at);
		if (at === text.length) return isEnd && calls.length > 0 ? { calls, length } : 'open';
		const ends = ['<|eom_id|>', '<|eot_id|>'].map((end) => literalAt(text, at, end));
		if (calls.length > 0 && ends.includes(true)) return { calls, length: at + '<|eom_id|>'.length };
		if (calls.length > 0 && ends.includes('open')) return isEnd ? { calls, length } : 'open';
		if (calls.length > 0 && (text[at] === ';' || text[at] === ',')) {
			at += 1;
			continue;
		}
		const json = jsonAt(text, at);
		if (json === 'open') return 'open';
		const made = json === undefined ? undefined : callsIn(json.value, tools);
		if (json === undefined || made === undefined) return calls.length > 0 ? { calls, length } : 'text';
		calls.push(...made);
		length = at = json.end;
	}
}

/** The calls in a JSON value, a single one or a list; undefined where any of it is none. */
function callsIn(value: unknown, tools: OfferedTools): WrittenCall[] | undefined {
	const calls = (Array.isArray(value) ? value : [value]).map((one: unknown) => callIn(one, tools));
	return calls.length > 0 && calls.every((call) => call !== undefined) ? calls : undefined;
}

function callIn(value: unknown, tools: OfferedTools): WrittenCall | undefined {
	if (!isRecord(value)) return undefined;
	const fn = isRecord(value.function) ? value.function : value;
	const name = fn.name ?? value.function;
	const tool = typeof name === 'string' ? tools.get(name) : undefined;
	if (tool === undefined) return undefined;
	const given = fn.arguments ?? fn.parameters;
	const args = typeof given === 'string' ? parseObject(given) : (given ?? (takesNothing(tool) ? {} : undefined));
	// The tool itself, repeated by the model.
	const isDefinition = isRecord(args) && args.type === 'object' && isRecord(args.properties) && 'description' in fn;
	return isRecord(args) && !isDefinition ? { name: tool.name, arguments: JSON.stringify(args) } : undefined;
}

function takesNothing({ parameters: { properties } }: ToolDefinition): boolean {
	return !isRecord(properties) || Object.keys(properties).length === 0;
}

/** The object or list at a place; undefined where none begins there, or where it is no valid JSON. */
function jsonAt(text: string, at: number): 'open' | undefined | { value: unknown; end: number } {
	if (text[at] !== '{' && text[at] !== '[') return undefined;
	const length = new JsonEnd().push(text.slice(at));
	if (length === undefined) return 'open';
	const value = parseJson(text.slice(at, at + length));
	return { value, end: at + length };
}

/** Whether a text stands at a place; `open` where the text ends before that can be told. */
function literalAt(text: string, at: number, literal: string): boolean | 'open' {
	const there = text.slice(at, at + literal.length);
	return there === literal || (at + literal.length > text.length && literal.startsWith(there) ? 'open' : false);
}

function skipBlank(text: string, at: number): number {
	const blank = /\S/g;
	blank.lastIndex = at;
	return blank.exec(text)?.index ?? text.length;
}
