import * as fc from 'fast-check';
import { readText, StreamParser } from '../../../lib/http/response-body';
import { fixtureFolders, fixtureNames, httpFixture } from '../../support/streams';
import { Readable } from 'node:stream';

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The result of a body that arrives in these chunks. */
function parse(chunks: readonly Uint8Array[], framing: 'events' | 'lines' = 'events') {
	const parser = new StreamParser(framing);
	const events = [...chunks.flatMap((chunk) => parser.push(chunk)), ...parser.end()];
	return { events, stray: parser.nonEventLines, page: parser.page };
}

/** The chunks of a body that is split at some offsets, also within characters. */
function splitAt(body: Uint8Array, offsets: readonly number[]): Uint8Array[] {
	const ends = [...new Set(offsets.map((offset) => offset % (body.length + 1)))].sort(
		(a, b) => a - b,
	);
	return [...ends, body.length].map((end, index) => body.subarray(ends[index - 1] ?? 0, end));
}

const values = fc.array(
	fc.jsonValue().filter((value) => typeof value === 'object' && value !== null),
	{ minLength: 1, maxLength: 5 },
);
const offsets = fc.array(fc.nat(2000), { maxLength: 20 });

test('events are the same wherever their bytes are split', () => {
	const lineEnd = fc.constantFrom('\n', '\r\n');
	fc.assert(
		fc.property(values, offsets, lineEnd, fc.boolean(), (list, cuts, end, isEnded) => {
			const data = list.map((value) => JSON.stringify(value));
			const body = data.map((one) => `: ping${end}data: ${one}${end}${end}`).join('');
			const bytes = bytesOf(isEnded ? body : body.trimEnd());
			expect(parse(splitAt(bytes, cuts)).events).toEqual(data);
		}),
	);
});

test('JSON lines are the same wherever their bytes are split', () => {
	fc.assert(
		fc.property(values, offsets, (list, cuts) => {
			const data = list.map((value) => JSON.stringify(value));
			expect(parse(splitAt(bytesOf(data.join('\n')), cuts), 'lines').events).toEqual(data);
		}),
	);
});

test('a JSON response is one event, wherever its bytes are split', () => {
	fc.assert(
		fc.property(fc.jsonValue(), offsets, (value, cuts) => {
			const answer = JSON.stringify({ value }, null, '\t');
			expect(parse(splitAt(bytesOf(answer), cuts)).events).toEqual([answer]);
		}),
	);
});

describe.each(fixtureFolders('.http'))('each recorded body of %s', (folder) => {
	const recorded = fixtureNames(folder, '.http').map((name) => ({
		name,
		body: new Uint8Array(httpFixture(name).body),
	}));
	const bytesIn = (body: Uint8Array) => [...body.keys()].map((at) => body.subarray(at, at + 1));

	test.each(['events', 'lines'] as const)('has the same %s in single bytes', (framing) => {
		for (const { name, body } of recorded)
			expect({ name, ...parse(bytesIn(body), framing) }).toEqual({
				name,
				...parse([body], framing),
			});
	});

	test('is the same text in single bytes', async () => {
		for (const { name, body } of recorded) {
			const text = await readText(Readable.from(bytesIn(body)), Infinity);
			expect({ name, text }).toEqual({ name, text: new TextDecoder().decode(body) });
		}
	});
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
	[
		'an HTML page',
		' <html><h1>Login</h1></html>',
		{ events: [], page: '<html><h1>Login</h1></html>' },
	],
	['an empty body', '', { events: [] }],
])('%s', (_name, body, expected) => {
	expect(parse([bytesOf(body)])).toMatchObject(expected);
});

test('an event that never ends is an error', () => {
	const parser = new StreamParser('events', 100);
	expect(() => parser.push(bytesOf(`data: ${'x'.repeat(101)}`))).toThrow('more than');
});
