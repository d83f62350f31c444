import fc from 'fast-check';

import { SseDecoder, type ServerSentEvent } from '../../../lib/http/sse';
import {
	anySplit,
	oneBytePieces,
	everyCutInTwo,
	fixtureNames,
	httpFixture,
	splitBytes,
} from '../../support/streams';

interface Decoded {
	events: ServerSentEvent[];
	stray: readonly string[];
}

function decode(...pieces: Array<Uint8Array | string>): Decoded {
	const decoder = new SseDecoder();
	const events = pieces.flatMap((piece) =>
		decoder.push(typeof piece === 'string' ? Buffer.from(piece) : piece),
	);
	events.push(...decoder.end());
	return { events, stray: decoder.strayLines };
}

const streams = fixtureNames('llama-server-v0.5.0', '.http')
	.map((name) => ({ name, ...httpFixture(name) }))
	.filter(({ headers }) =>
		headers.some(
			([name, value]) => /^content-type$/i.test(name) && value.startsWith('text/event-stream'),
		),
	);

const data = (...texts: string[]): ServerSentEvent[] => texts.map((text) => ({ data: text }));

describe('what an event stream may look like', () => {
	test.each<[name: string, stream: string, events: ServerSentEvent[]]>([
		['one event', 'data: hi\n\n', data('hi')],
		['case 36: no blank after the colon', 'data:{"a":1}\n\n', data('{"a":1}')],
		['only one blank is taken off', 'data:  hi\n\n', data(' hi')],
		['case 35: CRLF line ends', 'data: a\r\n\r\ndata: b\r\n\r\n', data('a', 'b')],
		['case 35: lone CR line ends', 'data: a\r\rdata: b\r\r', data('a', 'b')],
		[
			'case 35: line ends of all kinds mixed',
			'data: a\r\n\ndata: b\n\r\ndata: c\r\n\r\n',
			data('a', 'b', 'c'),
		],
		[
			'case 37: comments and blank lines between events',
			':\n\n: keep-alive\n\n\n\ndata: a\n\n:ping\n\ndata: b\n\n',
			data('a', 'b'),
		],
		['case 37: a comment inside an event', 'data: a\n: ping\ndata: b\n\n', data('a\nb')],
		[
			'case 38: event, id and retry before data',
			'event: message\nid: 7\nretry: 3000\ndata: a\n\n',
			[{ event: 'message', data: 'a' }],
		],
		[
			'case 38: fields after data',
			'data: a\nevent: delta\nid: 8\n\n',
			[{ event: 'delta', data: 'a' }],
		],
		[
			'the event name holds for one event',
			'event: x\ndata: a\n\ndata: b\n\n',
			[{ event: 'x', data: 'a' }, { data: 'b' }],
		],
		[
			'an event without data is none',
			'event: ping\n\nid: 3\n\nretry: 10\n\ndata: a\n\n',
			data('a'),
		],
		['a bad retry', 'retry: soon\ndata: a\n\n', data('a')],
		['case 39: several data lines', 'data: {\ndata:  "a": 1\ndata: }\n\n', data('{\n "a": 1\n}')],
		['an empty data line', 'data:\n\ndata\n\ndata: \ndata: \n\n', data('', '', '\n')],
		['case 40: a byte-order mark', '\uFEFFdata: a\n\ndata: b\n\n', data('a', 'b')],
		['a byte-order mark later is text', 'data: \uFEFFa\n\n', data('\uFEFFa')],
		[
			'case 41: several events and [DONE] in one read',
			'data: a\n\ndata: b\n\ndata: [DONE]\n\n',
			data('a', 'b', '[DONE]'),
		],
		['case 42: data after [DONE]', 'data: [DONE]\n\ndata: late\n\n', data('[DONE]', 'late')],
		['case 33: characters of four bytes', 'data: 🦙ü漢\n\n', data('🦙ü漢')],
		['the last event without its blank line', 'data: a\n\ndata: b\n', data('a', 'b')],
		['the last event without any line end', 'data: a\n\ndata: b', data('a', 'b')],
		['a body that ends on CR', 'data: a\r', data('a')],
		['nothing', '', []],
		['only blank lines', '\n\r\n\n', []],
		['colons in the data', 'data: a: b: c\n\n', data('a: b: c')],
		['a line separator is no line end', 'data: a\u2028b\u0085c\n\n', data('a\u2028b\u0085c')],
		[
			'data in capitals, as home-made servers write it',
			'Data: a\n\nDATA: b\n\ndata: c\n\n',
			data('a', 'b', 'c'),
		],
		['other field names in capitals are unknown', 'Event: x\nID: 1\ndata: c\n\n', data('c')],
		[
			'two values in one line',
			'data: {"a":"}{"}{"b":1} {"c":2}\n\n',
			data('{"a":"}{"}', '{"b":1}', '{"c":2}'),
		],
		[
			'the end marker in the line of the last value',
			'data: {"a":1}[DONE]\n\n',
			data('{"a":1}', '[DONE]'),
		],
		[
			'values with the name of the field between them',
			'data: {"a":1} data: [DONE]\n\n',
			data('{"a":1}', '[DONE]'),
		],
		['a text that only looks like two values', 'data: {"a":"}{"}\n\n', data('{"a":"}{"}')],
		['words behind a value', 'data: {"a":1}{oops\n\n', data('{"a":1}{oops')],
	])('%s', (_name, stream, events) => {
		const bytes = Buffer.from(stream);
		const whole = decode(bytes);
		expect(whole.events).toEqual(events);
		for (const pieces of everyCutInTwo(bytes)) expect(decode(...pieces)).toEqual(whole);
		expect(decode(...oneBytePieces(bytes))).toEqual(whole);
	});

	test('case 34: `data:` split after `da`, and the two line ends in different reads', () => {
		expect(decode('da', 'ta: a\n', '\nda', 'ta: b', '\r', '\n\r', '\n').events).toEqual(
			data('a', 'b'),
		);
	});

	test('an event is handed out with the read that completes it', () => {
		const decoder = new SseDecoder();
		expect(decoder.push(Buffer.from('data: a\n'))).toEqual([]);
		expect(decoder.push(Buffer.from('\ndata: b'))).toEqual(data('a'));
		expect(decoder.push(Buffer.from('\r\n\r'))).toEqual(data('b'));
		expect(decoder.push(Buffer.from('\n'))).toEqual([]);
		expect(decoder.end()).toEqual([]);
	});

	test('bytes that are no UTF-8 become replacement characters', () => {
		expect(
			decode(Buffer.from([...Buffer.from('data: a'), 0xff, 0xf0, 0x9f, ...Buffer.from('b\n\n')]))
				.events,
		).toEqual(data('a\uFFFD\uFFFDb'));
		expect(decode(Buffer.from([...Buffer.from('data: a'), 0xf0, 0x9f])).events).toEqual(
			data('a\uFFFD'),
		);
	});

	test('case 100: escaped surrogates pass as they are', () => {
		expect(decode('data: {"a":"\\ud83d"}\n\ndata: {"a":"\\udc4d"}\n\n').events).toEqual(
			data('{"a":"\\ud83d"}', '{"a":"\\udc4d"}'),
		);
	});

	test('case 43: an event of a megabyte, in reads of any size', () => {
		const long = 'x'.repeat(1024 * 1024);
		const bytes = Buffer.from(`data: a\n\ndata: ${long}\n\ndata: b\n\n`);
		for (const size of [bytes.length, 65_536, 1_460, 97]) {
			const offsets = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => at * size);
			const { events } = decode(...splitBytes(bytes, offsets));
			expect(events.map((event) => event.data.length)).toEqual([1, long.length, 1]);
			expect(events[1]!.data === long).toBe(true);
		}
	});
});

describe('lines that are no fields', () => {
	test.each([
		'proxy error: Failed to read connection',
		'{"error":"boom"}',
		'Internal Server Error',
		'<html>',
	])('case 53: %s is kept, wherever it is cut', (line) => {
		for (const stream of [
			`data: a\n\n${line}`,
			`${line}\ndata: a\n\n`,
			`data: a\n\n${line}\r\n\r\n`,
		]) {
			const bytes = Buffer.from(stream);
			for (const pieces of everyCutInTwo(bytes))
				expect(decode(...pieces)).toEqual({ events: data('a'), stray: [line] });
		}
	});

	test('no more than 20, each no longer than 500 characters', () => {
		const { stray } = decode(
			Array.from({ length: 30 }, (_, index) => `${index}-${'x'.repeat(600)}\n`).join(''),
		);
		expect(stray).toHaveLength(20);
		expect(stray.every((line) => line.length === 500)).toBe(true);
	});

	test("old releases' error field is an event, wherever it is cut", () => {
		const bytes = Buffer.from(
			'data: {"a":1}\n\nerror: {"code":500,"message":"slot unavailable","type":"server_error"}\n\n',
		);
		const expected = [
			{ data: '{"a":1}' },
			{ event: 'error', data: '{"code":500,"message":"slot unavailable","type":"server_error"}' },
		];
		for (const pieces of everyCutInTwo(bytes))
			expect(decode(...pieces)).toEqual({ events: expected, stray: [] });
	});

	test('an error field that holds a plain text is a stray line', () => {
		expect(decode('error: boom\n\n')).toEqual({ events: [], stray: ['error: boom'] });
	});
});

describe('recorded streams', () => {
	test('there are some of every kind', () => {
		expect(streams.map(({ name }) => name)).toEqual(
			expect.arrayContaining(
				[
					'chat-stream',
					'tools-stream',
					'thinking-stream',
					'chat-stream-emoji-first',
					'router-child-killed-stream',
				].map((name) => `llama-server-v0.5.0/${name}.http`),
			),
		);
	});

	test.each(streams)('$name: the same events at every split position', ({ body, chunks }) => {
		const whole = decode(body);
		expect(whole.events.length).toBeGreaterThan(0);
		expect(decode(...chunks)).toEqual(whole);
		const texts = whole.events.map(({ data: text }) => text);
		const differing: number[] = [];
		for (const pieces of everyCutInTwo(body)) {
			// Compared by hand: jest's comparison would take a minute for all positions of all streams.
			const { events, stray } = decode(...pieces);
			const same =
				events.length === texts.length &&
				events.every((event, index) => event.data === texts[index]) &&
				stray.length === whole.stray.length;
			if (!same) differing.push(pieces[0].length);
		}
		expect(differing).toEqual([]);
	});

	test('the same events however they are split', () => {
		const splits = fc
			.constantFrom(...streams)
			.chain(({ body }) => fc.tuple(fc.constant(body), anySplit(body)));
		fc.assert(
			fc.property(splits, ([body, pieces]) => expect(decode(...pieces)).toEqual(decode(body))),
		);
	});

	test('case 40: the same events with other line ends and a byte-order mark', () => {
		const styled = fc
			.tuple(fc.constantFrom(...streams), fc.constantFrom('\r\n', '\r'))
			.chain(([{ body }, lineEnd]) => {
				const bytes = Buffer.from(`\uFEFF${body.toString().replaceAll('\n', lineEnd)}`);
				return fc.tuple(fc.constant(body), anySplit(bytes));
			});
		fc.assert(
			fc.property(styled, ([body, pieces]) => expect(decode(...pieces)).toEqual(decode(body))),
		);
	});
});
