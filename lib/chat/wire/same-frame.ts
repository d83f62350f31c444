import type { ServerSentEvent } from '../../http/sse';
import { optional, parseJson } from '../../values';
import type { WireChunk } from '../types';

/** The fields that carry a token, followed by the beginning of their text. */
const TOKEN_FIELD = /"(?:content|reasoning_content|reasoning)":\s?"/g;
/** A text that is in the JSON as it is, without escapes. */
const PLAIN = /^[^"\\\p{Cc}\p{Cs}]+$/u;
const PROBE = 'probe 0a1b2c';
/** Frames in a row that were of no use: then this server's differ with every token. */
const MAX_MISSES = 8;

interface Frame {
	event: string | undefined;
	before: string;
	after: string;
	/** What every chunk of this frame says beside its text. */
	rest: WireChunk;
	field: 'text' | 'reasoning';
}

/**
 * A decoder of one stream that reads what repeats once. The events of most servers differ in a token's text alone; then
 * the text is cut out, and the other 200 characters are compared in place of being parsed again. A frame is used only if
 * the decoder itself, given another text in it, says that nothing else depends on the text.
 */
export function sameFrameDecoder(decode: (event: ServerSentEvent) => WireChunk): (event: ServerSentEvent) => WireChunk {
	let frame: Frame | undefined;
	let misses = 0;
	return (event) => {
		const known = frame === undefined ? undefined : chunkIn(frame, event);
		if (known !== undefined) {
			misses = 0;
			return known;
		}
		const chunk = decode(event);
		if (misses < MAX_MISSES) {
			misses++;
			frame = frameOf(event, chunk, decode) ?? frame;
		}
		return chunk;
	};
}

function chunkIn(
	{ event, before, after, rest, field }: Frame,
	{ event: name, data }: ServerSentEvent,
): WireChunk | undefined {
	if (name !== event || !data.startsWith(before) || !data.endsWith(after)) return undefined;
	const end = data.length - after.length;
	if (end <= before.length) return undefined;
	const written = data.slice(before.length, end);
	const text = PLAIN.test(written) ? written : unescaped(written);
	return text === undefined || text === '' ? undefined : { ...rest, [field]: text };
}

/** The text that stands between two quotation marks of JSON; undefined where that is no single text. */
function unescaped(written: string): string | undefined {
	const value = parseJson(`"${written}"`);
	return typeof value === 'string' ? value : undefined;
}

function frameOf(
	{ event, data }: ServerSentEvent,
	chunk: WireChunk,
	decode: (event: ServerSentEvent) => WireChunk,
): Frame | undefined {
	const field = chunk.text ? 'text' : 'reasoning';
	const text = chunk[field];
	if (text === undefined || !PLAIN.test(text)) return undefined;
	for (const match of data.matchAll(TOKEN_FIELD)) {
		const start = match.index + match[0].length;
		if (!data.startsWith(`${text}"`, start)) continue;
		const [before, after] = [data.slice(0, start), data.slice(start + text.length)];
		const rest = { ...chunk };
		delete rest[field];
		if (isOfText(decode({ ...optional({ event }), data: before + PROBE + after }), field, rest))
			return { event, before, after, rest, field };
	}
	return undefined;
}

/** Whether a chunk with the probe for its text is otherwise the same. */
function isOfText(chunk: WireChunk, field: 'text' | 'reasoning', rest: WireChunk): boolean {
	return (
		JSON.stringify(chunk) === JSON.stringify({ ...chunk, ...rest, [field]: PROBE }) &&
		Object.keys(chunk).length === Object.keys(rest).length + 1
	);
}
