/** Arguments as elements with their names, each tag after a token: MiniMax M3 (sgl-project/sglang, `minimax_m3.py`). */
import { toObject } from './argument-values';
import type { NamedArgument, NamedArguments } from './argument-values';
import type { TextCursor } from './cursor';

/** Deeper elements are not read. */
const MAX_DEPTH = 20;
const TAG = /<([A-Za-z_][\w.-]{0,127})>/y;
/** A text without tags, if no token precedes them. */
const TEXT = /[^<>]*/y;
/** The name of the elements of a list. */
const LIST_ELEMENT = 'item';

/**
 * Reads elements up to the first tag that opens none.
 *
 * @param token the text before each tag; empty if the server removed it
 */
export function readElements(cursor: TextCursor, token: string, depth = 0): NamedArguments {
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
