import fc from 'fast-check';

import { BodyReader } from '../../../lib/http/body-reader';
import { anySplit, everyCutInTwo } from '../../support/streams';

const read = (contentType: string | undefined, pieces: Iterable<Uint8Array>) => {
	const reader = new BodyReader(contentType);
	const pushed = [...pieces].flatMap((piece) => reader.push(piece));
	return { events: [...pushed, ...reader.end()], page: reader.page, strayLines: reader.strayLines };
};

const STREAM = 'text/event-stream';
const JSON_TYPE = 'application/json; charset=utf-8';
const LINES = 'application/x-ndjson';
const nothing = { events: [], page: undefined, strayLines: [] };
const whole = (data: string) => ({ ...nothing, events: [{ event: 'whole-answer', data }] });
const events = (...data: string[]) => ({
	...nothing,
	events: data.map((text) => ({ data: text })),
});
const event = (data: string) => events(data);

describe('the first character tells the kind of a body', () => {
	test.each<
		[name: string, contentType: string | undefined, body: string, expected: ReturnType<typeof read>]
	>([
		['events', STREAM, 'data: a\n\n', event('a')],
		['events without a type', undefined, 'data: a\n\n', event('a')],
		['events labelled as JSON', JSON_TYPE, ': hi\n\ndata: a\n\n', event('a')],
		['events labelled as a page', 'text/html', 'data: a\n\n', event('a')],
		[
			'events after a byte-order mark and blank lines',
			STREAM,
			'\uFEFF\n\r\n\ndata: a\n\n',
			event('a'),
		],
		['case 44: JSON', JSON_TYPE, '{"a":"ü🦙"}', whole('{"a":"ü🦙"}')],
		['case 44: JSON labelled as a stream', STREAM, '{"a":1}', whole('{"a":1}')],
		['case 44: JSON without a type', undefined, ' \r\n{"a":1}\n', whole(' \r\n{"a":1}\n')],
		['a JSON list', undefined, '[{"error":1}]', whole('[{"error":1}]')],
		['JSON that is no object', JSON_TYPE, 'null', whole('null')],
		['a broken answer labelled as JSON', JSON_TYPE, 'proxy error: x', whole('proxy error: x')],
		['JSON lines', LINES, '{"a":1}\n{"b":2}\n', events('{"a":1}', '{"b":2}')],
		['one JSON line', LINES, '{"a":1}\n', events('{"a":1}')],
		[
			'JSON lines labelled as JSON',
			JSON_TYPE,
			'{"a":1}\n{"b":"ü🦙"}\n{"c":',
			events('{"a":1}', '{"b":"ü🦙"}', '{"c":'),
		],
		[
			'JSON lines labelled as a stream',
			STREAM,
			'{"a":1}\r\n\r\n{"b":2}',
			events('{"a":1}', '{"b":2}'),
		],
		[
			'JSON values without line ends',
			undefined,
			'{"a":1}{"b":2}[3]',
			events('{"a":1}', '{"b":2}', '[3]'),
		],
		['JSON with words behind it', JSON_TYPE, '{"a":1} done', whole('{"a":1} done')],
		['a page', 'text/html', '<!doctype html>x', { ...nothing, page: '<!doctype html>x' }],
		['a page without a type', undefined, '\n<html>', { ...nothing, page: '\n<html>' }],
		[
			'a text',
			'text/plain',
			'Ollama is running',
			{ ...nothing, strayLines: ['Ollama is running'] },
		],
		['nothing', STREAM, '', nothing],
		['nothing labelled as JSON', JSON_TYPE, '', nothing],
		['blanks', STREAM, ' \n\t\r\n', nothing],
	])('%s, wherever it is cut', (_name, contentType, body, expected) => {
		const bytes = Buffer.from(body);
		expect(read(contentType, [bytes])).toEqual(expected);
		for (const pieces of everyCutInTwo(bytes)) expect(read(contentType, pieces)).toEqual(expected);
	});

	test('any JSON answer in any pieces arrives whole', () => {
		const answer = fc
			.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue())
			.map((value) => JSON.stringify(value));
		const pieces = answer.chain((text) => fc.tuple(fc.constant(text), anySplit(Buffer.from(text))));
		fc.assert(
			fc.property(pieces, fc.constantFrom(STREAM, JSON_TYPE, undefined), ([text, split], type) =>
				expect(read(type, split)).toEqual(whole(text)),
			),
		);
	});

	test('of a page no more than its beginning is kept', () => {
		const { page } = read(
			'text/html',
			Array.from({ length: 100 }, () => Buffer.from(`<p>${'x'.repeat(2000)}</p>`)),
		);
		expect(page!.length).toBeGreaterThan(60_000);
		expect(page!.length).toBeLessThan(70_000);
	});

	test('a body of more than 512 MB is given up', () => {
		const reader = new BodyReader('text/html');
		const piece = Buffer.alloc(64 * 1024 * 1024, '<');
		for (let count = 0; count < 8; count++) reader.push(piece);
		expect(() => reader.push(piece)).toThrow('more than 512 MB');
	});
});
