/** Shape (b): a name with named arguments in marks. */
import { parseJson } from '../../values/json';
import { toObject } from './argument-values';
import type { NamedArgument, NamedArguments } from './argument-values';
import { findArgumentsProblem } from './json-calls';
import { NAMESPACE_TOKEN, PREFIX } from './call-marks';
import type { TextCursor } from './cursor';
import type { CallCandidate, CallSyntax } from './types';
import type { CallProblem } from '../../rejected-call';
import { getOwn } from '../../values/own-properties';

/** `=NAME` or ` name="NAME"`. */
const NAME = String.raw`(?:[ \t]{0,4}=[ \t]{0,4}|[ \t]{1,4}name[ \t]{0,4}=[ \t]{0,4})(?:"([^"<>]{1,128})"|'([^'<>]{1,128})'|([^\s"'<>=]{1,128}))`;

/**
 * `<function=N>` (Qwen3-Coder, Seed-OSS, Step 3.5), `<function name="N">` (MiniCPM 5), `<invoke name="N">` (MiniMax M2,
 * dots), `<｜DSML｜invoke name="N">` (DeepSeek V3.2 and newer): vllm-project/vllm, `tool_parsers`. Step 3 puts the type of the
 * call before it, and may put the name there, too.
 */
const CALL_TAG = new RegExp(
	`(?:function\\s*<[|｜]tool[\\w▁ ]{0,20}sep[|｜]>\\s*(?:([\\w.-]{1,128})\\s*)?)?(${NAMESPACE_TOKEN})<(${PREFIX})(function|invoke)${NAME}[ \\t]{0,4}>`,
	'iy',
);

/** DeepSeek's attribute `string` tells texts from JSON. */
const PARAMETER_TAG = new RegExp(
	`<(${PREFIX})(parameter|param)${NAME}(?:[ \\t]{1,4}string="(true|false)")?[ \\t]{0,4}>`,
	'iy',
);

/** Marks in a value say that the mark at its end is missing. */
const STRUCTURE = new RegExp(
	`</?${PREFIX}(?:function|invoke|parameter|param)(?:[\\s=>]|$)|</?[\\w|]{0,20}arg_(?:key|value)[:>]`,
	'i',
);

/** Qwen3-Coder and MiMo leave out the mark before their call, but not the one after it (ollama issue 16686). */
const STRAY_END = '</tool_call>';

const CDATA = '<![CDATA[';

const CDATA_END = ']]>';

/** Reads `<function=N><parameter=K>value</parameter>…</function>` and its relatives, or `<function=N>{…}</function>`. */
export function readNamedCall(cursor: TextCursor, mark: string): CallCandidate[] | undefined {
	const from = cursor.at;
	const tag = cursor.match(CALL_TAG);
	if (tag === undefined) return undefined;
	const [, header, namespace = '', prefix = '', word = '', ...names] = tag;
	const end = `${namespace}</${prefix}${word}>`;
	cursor.skipBlanks();
	const json = cursor.readJson();
	const args = json === undefined ? readArguments(cursor, namespace) : undefined;
	cursor.skipBlanks();
	const isUnread = args?.problem === undefined && !cursor.skip(end);
	const name = getFirst(names);
	const hasOtherName = header !== undefined && header !== name;
	const ownProblem = hasOtherName ? 'ambiguous' : args?.problem;
	const problem = isUnread ? getEndProblem(cursor) : ownProblem;
	if (mark === '') skipStrayEnd(cursor);
	const source = json ?? toObject(args?.list ?? []);
	const isTyped = json !== undefined || args?.isTyped === true;
	return [toCandidate({ name, args: source, isTyped, problem, from, to: cursor.at })];
}

/** Why the mark that ends a block does not follow. */
function getEndProblem(cursor: TextCursor): CallProblem {
	return cursor.isAtEnd ? 'noEnd' : 'unreadText';
}

function readArguments(cursor: TextCursor, namespace: string): NamedArguments {
	if (namespace !== '') return readElements(cursor, namespace);
	const parameters = readParameters(cursor);
	const hasParameters = parameters.list.length > 0 || parameters.problem !== undefined;
	// Servers may remove the token of the namespace.
	return hasParameters ? parameters : readElements(cursor, '');
}

function skipStrayEnd(cursor: TextCursor): void {
	const { at } = cursor;
	cursor.skipBlanks();
	if (!cursor.skip(STRAY_END)) cursor.at = at;
}

function readParameters(cursor: TextCursor): NamedArguments {
	const list: NamedArgument[] = [];
	let isTyped = false;
	for (;;) {
		cursor.skipBlanks();
		const tag = cursor.match(PARAMETER_TAG);
		if (tag === undefined) return { list, isTyped };
		const [, prefix = '', word = '', doubleQuoted, quoted, bare, isText] = tag;
		isTyped ||= isText !== undefined;
		const end = `</${prefix}${word}>`;
		const section = readSection(cursor, end);
		const value = section ?? cursor.readUntil(end);
		if (value === undefined) return { list, problem: 'noEnd' };
		if (section === undefined && STRUCTURE.test(value)) return { list, problem: 'unreadText' };
		const key = getFirst([doubleQuoted, quoted, bare]);
		const hasEntities = word.toLowerCase() === 'param' && section === undefined;
		const text = hasEntities ? decodeXmlEntities(value) : value;
		const isOnOwnLines =
			isText === undefined && (section !== undefined || hasOwnLines(tag[0], text));
		const json = toJson(isOnOwnLines ? withoutOwnLines(text) : text, isText);
		if (json === undefined) return { list, problem: 'brokenArguments' };
		list.push({ key, json });
	}
}

const XML_ENTITIES: Readonly<Record<string, string>> = {
	amp: '&',
	apos: "'",
	gt: '>',
	lt: '<',
	quot: '"',
};

/**
 * Decodes the entities of XML once. MiniCPM 5 writes XML (vllm-project/vllm, `minicpm5xml_tool_parser.py`); a text with
 * another `&` is no XML, and stays as it is.
 */
function decodeXmlEntities(text: string): string {
	if (/&(?!(?:amp|apos|gt|lt|quot);)/.test(text)) return text;
	return text.replace(/&([a-z]{2,4});/g, (all, name: string) => getOwn(XML_ENTITIES, name) ?? all);
}

/** A value in a CDATA section, which may contain marks: MiniCPM 5. */
function readSection(cursor: TextCursor, end: string): string | undefined {
	const { at } = cursor;
	cursor.skipBlanks();
	const content = cursor.skip(CDATA) ? cursor.readUntil(CDATA_END) : undefined;
	cursor.skipBlanks();
	if (content !== undefined && cursor.skip(end)) return content;
	cursor.at = at;
	return undefined;
}

/**
 * Whether a value is on lines of its own. Qwen3-Coder puts each value of `<parameter=K>` there, and may leave out one of both
 * line breaks. A value of `<parameter name="K">` begins after the tag, so that a single line break belongs to it
 * (vllm-project/vllm, `step3_tool_parser.py` and `minimax_m2_tool_parser.py`).
 */
function hasOwnLines(tag: string, value: string): boolean {
	const isBareName = /^<[^\s=]{1,60}[ \t]{0,4}=/.test(tag);
	return isBareName || /^\n[^]*\n$/.test(value);
}

function withoutOwnLines(value: string): string {
	return value.replace(/^\n/, '').replace(/\n$/, '');
}

/**
 * A value as JSON. A text is converted later to the type that the schema of the tool requires, so that a text stays as the
 * model wrote it where the schema requires a text.
 *
 * @param isText DeepSeek's attribute, whether the value is a text or JSON; undefined for other models
 * @returns undefined if the value must be JSON and is not
 */
function toJson(value: string, isText: string | undefined): string | undefined {
	if (isText !== 'false') return JSON.stringify(value);
	return parseJson(value) === undefined ? undefined : value;
}

/** The one name of several groups of a pattern that matched. */
function getFirst(groups: ReadonlyArray<string | undefined>): string {
	return groups.find((group) => group !== undefined) ?? '';
}

interface NamedCall {
	syntax?: CallSyntax;
	name: string;
	/** JSON text. */
	args: string;
	/** Whether the marks tell texts from other values. Default: false. */
	isTyped?: boolean;
	problem: CallProblem | undefined;
	from: number;
	to: number;
}

/** A text that stands for null where the schema allows it (sgl-project/sglang, `minimax_m3.py`). */
const NULL_TEXT = /"(?:null|Null|NULL)"(?!:)/;

function toCandidate(call: NamedCall): CallCandidate {
	const { syntax = 'namedArguments', name, args, isTyped = false, problem, from, to } = call;
	const found = problem ?? findArgumentsProblem(args);
	return {
		syntax,
		name,
		arguments: found === undefined ? args : undefined,
		...(!isTyped && NULL_TEXT.test(args) && { hasNullTexts: true as const }),
		range: { from, to },
		problems: found === undefined ? [] : [found],
	};
}

/** The name of a call, which its arguments or the end of its mark follow; Hunyuan puts a mark between. */
const CALL_NAME = /([\w.-]{1,128})\s*(?:<tool_sep(?::[^\s<>]{1,40})?>\s*)?(?=<)/y;

/** GLM-4.5 to 5 (vllm-project/vllm, issue 32436); LongCat and K2 Horizon with a prefix, Hunyuan 4 with a suffix. */
const KEY_TAG = /<([\w|]{0,20})arg_key((?::[^\s<>]{1,40})?)>/y;

const KEY = /[^<>]{1,128}/y;

const END_TAG = /<\/[\w|]{0,20}tool_call(?::[^\s<>]{1,40})?>/y;

/** Reads `N<arg_key>K</arg_key><arg_value>value</arg_value>…`, or only the name in `<tool_call>N</tool_call>`. */
export function readKeyValueCall(cursor: TextCursor): CallCandidate[] | undefined {
	const from = cursor.at;
	const name = cursor.match(CALL_NAME)?.[1];
	const args = name === undefined ? undefined : readKeysAndValues(cursor);
	const { at } = cursor;
	const isEmpty = args?.list.length === 0 && args.problem === undefined;
	if (
		name === undefined ||
		args === undefined ||
		(isEmpty && cursor.match(END_TAG) === undefined)
	) {
		cursor.at = from;
		return undefined;
	}
	const { list, problem } = args;
	// A name alone is a word: the mark at its end belongs to it.
	const { at: to } = cursor;
	cursor.at = at;
	const syntax = 'keysAndValues';
	return [toCandidate({ syntax, name, args: toObject(list), problem, from, to })];
}

function readKeysAndValues(cursor: TextCursor): NamedArguments {
	const list: NamedArgument[] = [];
	for (;;) {
		cursor.skipBlanks();
		const tag = cursor.match(KEY_TAG);
		if (tag === undefined) return { list };
		const [, prefix = '', suffix = ''] = tag;
		const key = cursor.match(KEY)?.[0];
		const hasKeyEnd = cursor.skip(`</${prefix}arg_key${suffix}>`);
		cursor.skipBlanks();
		const hasValue = cursor.skip(`<${prefix}arg_value${suffix}>`);
		const value = hasValue ? cursor.readUntil(`</${prefix}arg_value${suffix}>`) : undefined;
		if (key === undefined || !hasKeyEnd || value === undefined) return { list, problem: 'noEnd' };
		if (STRUCTURE.test(value)) return { list, problem: 'unreadText' };
		list.push({ key: key.trim(), json: JSON.stringify(value) });
	}
}

/** Deeper elements are not read. */
const MAX_DEPTH = 20;

const TAG = /<([A-Za-z_][\w.-]{0,127})>/y;

/** A text without tags, if no token precedes them. */
const TEXT = /[^<>]*/y;

/** The name of the elements of a list. */
const LIST_ELEMENT = 'item';

/**
 * Reads arguments as elements with their names, each tag after a token, up to the first tag that opens none: MiniMax M3
 * (sgl-project/sglang, `minimax_m3.py`).
 *
 * @param token the text before each tag; empty if the server removed it
 */
function readElements(cursor: TextCursor, token: string, depth = 0): NamedArguments {
	const list: NamedArgument[] = [];
	for (;;) {
		const { at } = cursor;
		cursor.skipBlanks();
		const key = cursor.skip(token) ? cursor.match(TAG)?.[1] : undefined;
		if (key === undefined || depth > MAX_DEPTH) {
			cursor.at = at;
			return { list };
		}
		const json = readContent(cursor, token, depth);
		if (json === undefined || !cursor.skip(`${token}</${key}>`))
			return { list, problem: cursor.isAtEnd ? 'noEnd' : 'unreadText' };
		list.push({ key, json });
	}
}

/** A text, or the elements of an object or a list, as JSON. */
function readContent(cursor: TextCursor, token: string, depth: number): string | undefined {
	const { at } = cursor;
	const { list, problem } = readElements(cursor, token, depth + 1);
	if (problem !== undefined) return undefined;
	if (list.length > 0) {
		cursor.skipBlanks();
		return toValue(list);
	}
	cursor.at = at;
	const text = token === '' ? cursor.match(TEXT)?.[0] : readToToken(cursor, token);
	return text === undefined ? undefined : JSON.stringify(text);
}

/** The text before a token, which is read again. */
function readToToken(cursor: TextCursor, token: string): string | undefined {
	const text = cursor.readUntil(token);
	if (text !== undefined) cursor.at -= token.length;
	return text;
}

function toValue(list: readonly NamedArgument[]): string {
	const isList = list.every(({ key }) => key === LIST_ELEMENT);
	return isList ? toList(list) : toObject(joinRepeated(list));
}

function toList(list: readonly NamedArgument[]): string {
	return `[${list.map(({ json }) => json).join(',')}]`;
}

/**
 * Elements of an object that have the same name are a list. With a list among them, they could be one list or two: they
 * stay as they are.
 */
function joinRepeated(list: readonly NamedArgument[]): NamedArgument[] {
	const byKey = new Map<string, NamedArgument[]>();
	for (const element of list) {
		const others = byKey.get(element.key);
		if (others === undefined) byKey.set(element.key, [element]);
		else others.push(element);
	}
	return [...byKey].flatMap(([key, elements]) => {
		const isPlain = elements.length === 1 || elements.some(({ json }) => json.startsWith('['));
		return isPlain ? elements : [{ key, json: toList(elements) }];
	});
}
