import * as fc from 'fast-check';

import { StreamParser } from '../../../lib/http/stream-parser';

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** What a reader makes of a body that arrives in these pieces. */
function read(pieces: readonly Uint8Array[], framing: 'events' | 'lines' = 'events') {
	const reader = new StreamParser(framing);
	const events = [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
	return { events, stray: reader.nonEventLines, page: reader.page };
}

/** The pieces of a body that is cut at some places, inside characters too. */
function cut(body: Uint8Array, places: readonly number[]): Uint8Array[] {
	const ends = [...new Set(places.map((place) => place % (body.length + 1)))].sort((a, b) => a - b);
	return [...ends, body.length].map((end, index) => body.subarray(ends[index - 1] ?? 0, end));
}

const values = fc.array(
	fc.jsonValue().filter((value) => typeof value === 'object' && value !== null),
	{ minLength: 1, maxLength: 5 },
);
const places = fc.array(fc.nat(2000), { maxLength: 20 });

test('events are the same however their bytes are cut', () => {
	const lineEnd = fc.constantFrom('\n', '\r\n');
	fc.assert(
		fc.property(values, places, lineEnd, fc.boolean(), (list, cuts, end, isEnded) => {
			const data = list.map((value) => JSON.stringify(value));
			const body = data.map((one) => `: ping${end}data: ${one}${end}${end}`).join('');
			const bytes = bytesOf(isEnded ? body : body.trimEnd());
			expect(read(cut(bytes, cuts)).events).toEqual(data);
		}),
	);
});

test('so are JSON lines, whether they were expected or not', () => {
	fc.assert(
		fc.property(values, places, (list, cuts) => {
			const data = list.map((value) => JSON.stringify(value));
			expect(read(cut(bytesOf(data.join('\n')), cuts), 'lines').events).toEqual(data);
		}),
	);
});

test('so is a whole answer, which is one event', () => {
	fc.assert(
		fc.property(fc.jsonValue(), places, (value, cuts) => {
			const answer = JSON.stringify({ value }, null, '\t');
			expect(read(cut(bytesOf(answer), cuts)).events).toEqual([answer]);
		}),
	);
});

test.each<[string, string, { events?: string[]; stray?: string[]; page?: string }]>([
	[
		'an error line between events',
		'data: {"a":1}\n\nproxy error: gone\n\n',
		{ events: ['{"a":1}'], stray: ['proxy error: gone'] },
	],
	['`data:` twice', 'data: data: {"a":1}\n\n', { events: ['{"a":1}'] }],
	[
		'events without a blank line between them',
		'data: {"a":1}\ndata: {"b":2}\ndata: [DONE]\n',
		{ events: ['{"a":1}', '{"b":2}', '[DONE]'] },
	],
	['data of several lines', 'data: one\ndata: two\n\n', { events: ['one\ntwo'] }],
	['a page', ' <html><h1>Login</h1></html>', { events: [], page: '<html><h1>Login</h1></html>' }],
	['nothing', '', { events: [] }],
])('%s', (_name, body, expected) => {
	expect(read([bytesOf(body)])).toMatchObject(expected);
});

test('an event without an end is not kept', () => {
	const reader = new StreamParser('events', 100);
	expect(() => reader.push(bytesOf(`data: ${'x'.repeat(101)}`))).toThrow('more than');
});
