import * as fc from 'fast-check';
import { BufferedText, readBuffer, readChunks, readText } from '../../../lib/http/response-body';
import { StreamParser } from '../../../lib/http/stream-parser';
import { BodyTooLargeError, TooManyValuesError } from '../../../lib/http/body-limits';
import { withLimits } from './client';
import { isNightly, takeSome } from '../../support/jest/properties';
import { cpuMilliseconds } from '../../support/measures/cpu-time';
import { measureUsedBytes } from '../../support/measures/memory';
import { fixtureFolders, fixtureNames, httpFixture } from '../../support/servers/streams';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers';

/** Characters of an event. */
const MAX_EVENT_LENGTH = withLimits().eventLength;

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The result of a body that arrives in these chunks. */
function parse(chunks: readonly Uint8Array[], framing: 'events' | 'lines' = 'events') {
	const parser = new StreamParser(framing, MAX_EVENT_LENGTH);
	const parts = [...chunks.flatMap((chunk) => parser.push(chunk)), ...parser.end()];
	const getTexts = (isLine: boolean) =>
		parts.filter(({ type }) => (type === 'line') === isLine).map(({ text }) => text);
	return { events: getTexts(false), stray: getTexts(true), page: parser.page };
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
	const recorded = takeSome(fixtureNames(folder, '.http')).map((name) => ({
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
			const text = await readText(Readable.from(bytesIn(body)), withLimits({ bytes: Infinity }));
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
])('the events of a stream with %s', (_name, body, expected) => {
	expect(parse([bytesOf(body)])).toMatchObject(expected);
});

test('an event that never ends is an error', () => {
	const parser = new StreamParser('events', 100);
	expect(() => parser.push(bytesOf(`data: ${'x'.repeat(101)}`))).toThrow('more than');
});

describe('the maximum is that of one event, however long the stream is', () => {
	const MAX = 100;
	const FORMS = [
		{ framing: 'events', start: 'data: ', end: '\n\n' },
		{ framing: 'events', start: 'data: ', end: '\r\n\r\n' },
		{ framing: 'events', start: 'event: a\ndata: ', end: '\n\n' },
		{ framing: 'lines', start: '', end: '\n' },
		{ framing: 'lines', start: '', end: '\r\n' },
	] as const;
	/** Small beside the maximum, as the chunks of a connection are: what follows an event in its chunk counts. */
	const CHUNK_BYTES = [1, 7, 20];

	test.each(FORMS.flatMap((form) => CHUNK_BYTES.map((bytes) => ({ ...form, bytes }))))(
		'events up to the maximum are read: %j',
		(row) => {
			const { framing, start, end, bytes } = row;
			const lengths = Array.from({ length: 30 }, (_, at) => 20 + at);
			const data = lengths.map((length) => `{"a":"${'é'.repeat(length)}"}`);
			const body = bytesOf(data.map((one) => start + one + end).join(''));
			const cuts = Array.from({ length: Math.floor(body.length / bytes) }, (_, at) => at * bytes);
			const parser = new StreamParser(framing, MAX);
			const events: string[] = [];
			let error: unknown;
			try {
				for (const chunk of splitAt(body, cuts))
					events.push(...parser.push(chunk).map(({ text }) => text));
				parser.assertSmall();
				events.push(...parser.end().map(({ text }) => text));
			} catch (thrown) {
				error = thrown;
			}
			// An error says little without the events before it.
			expect({ error, events }).toEqual({ error: undefined, events: data });
			const tooLong = bytesOf(`${start}{"a":"${'é'.repeat(MAX)}"`);
			expect(() => parser.push(tooLong)).toThrow('more than');
		},
	);
});

describe('bodies have a limit in memory beside that in bytes', () => {
	const MB = 1024 * 1024;
	/** Single bytes. */
	const PIECES = (isNightly ? 2 : 0.5) * MB;

	async function* repeat(start: string, part: string, bytes: number): AsyncGenerator<Uint8Array> {
		yield await Promise.resolve(bytesOf(start));
		const chunk = bytesOf(part.repeat(Math.ceil(50_000 / part.length)));
		for (let size = 0; size < bytes; size += chunk.length) yield chunk;
	}

	it.each([
		['empty objects', '[{}', ',{}'],
		['empty lists', '{"data":[[]', ',[]'],
		['brackets without an end', '[', '['],
		['properties', '{"a":1', ',"a":1'],
		['numbers', '[1', ',1'],
		['texts', '["a"', ',"a"'],
	])('%s end the reading, and the beginning is kept', async (_name, start, part) => {
		const reading = readText(repeat(start, part, 30 * MB), withLimits({ bytes: 32 * MB }));
		const error = await reading.catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(TooManyValuesError);
		expect((error as TooManyValuesError).received).toMatch(start + part);
	});

	it.each([
		['one long text', '{"a":"', 'x'],
		['a text with brackets in it', '{"a":"', '{},[],\\"'],
		['a text that is not JSON', 'Hello ', '{},'],
	])('%s has no such limit', async (_name, start, part) => {
		const text = await readText(repeat(start, part, 10 * MB), withLimits({ bytes: 32 * MB }));
		expect(text.length).toBeGreaterThan(10 * MB);
	});

	it('a body with too many bytes keeps its beginning', async () => {
		const receive = async (start: string) =>
			await readText(repeat(start, 'x', 2 * MB), withLimits({ bytes: MB })).catch(
				(thrown: unknown) => thrown,
			);
		expect(await receive('{"a":"')).toMatchObject({
			received: expect.stringMatching(/^\{"a":"x/) as string,
		});
		expect(await receive('log ')).toMatchObject({
			received: expect.stringMatching(/^log x/) as string,
		});
		expect(await receive('log ')).toBeInstanceOf(BodyTooLargeError);
	});

	it.each<['events' | 'lines', string]>([
		['events', 'data: '],
		['lines', ''],
	])('one event of %s', (framing, prefix) => {
		const parser = new StreamParser(framing, 16 * MB);
		parser.push(bytesOf(`${prefix}{"a":1}\n\n${prefix}[`));
		const push = () => {
			for (let count = 0; count < 200; count++) parser.push(bytesOf('{},'.repeat(20_000)));
			parser.push(bytesOf('1]\n\n'));
		};
		expect(push).toThrow(TooManyValuesError);
	});

	it.each<[string, 'events' | 'lines', string]>([
		['an event', 'events', 'data: "'],
		['a line', 'lines', '{"a":"'],
		['a JSON response', 'events', '{"a":"'],
	])('%s in pieces of one byte keeps no object for each of them', (_name, framing, start) => {
		const parser = new StreamParser(framing, 16 * MB);
		parser.push(bytesOf(start));
		const x = bytesOf('x');
		const before = measureUsedBytes().heap;
		const work = () => {
			for (let count = 0; count < PIECES; count++) parser.push(x);
		};
		expect(cpuMilliseconds(work)).toBeLessThan(10_000);
		// A string of two parts takes 32 bytes for each of them.
		expect(measureUsedBytes().heap - before).toBeLessThan(10 * PIECES);
		expect(parser.push(x)).toEqual([]);
	});

	it('a file in pieces of one byte is copied into blocks', async () => {
		const packet = Buffer.alloc(PIECES / 2, 1);
		async function* pieces(): AsyncGenerator<Uint8Array> {
			yield await Promise.resolve(Buffer.alloc(100_000, 2));
			for (let at = 0; at < packet.length; at++) yield packet.subarray(at, at + 1);
			yield Buffer.alloc(100_000, 3);
		}
		const content = await readBuffer(pieces());
		const expected = Buffer.concat([Buffer.alloc(100_000, 2), packet, Buffer.alloc(100_000, 3)]);
		expect(content.compare(expected)).toBe(0);
	});

	it('a file has its bytes, wherever it is split', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.uint8Array({ maxLength: 200 })),
				fc.nat(200_000),
				async (chunks, length) => {
					const all = [...chunks, new Uint8Array(length).fill(7), ...chunks];
					async function* pieces(): AsyncGenerator<Uint8Array> {
						for (const chunk of all) yield await Promise.resolve(chunk);
					}
					expect((await readBuffer(pieces())).compare(Buffer.concat(all))).toBe(0);
				},
			),
		);
	});
});

/** How often n8n can do other work while a reader works for some time on each of 20 chunks that have arrived. */
async function countTurns(workMs: number): Promise<number> {
	async function* body() {
		for (let at = 0; at < 20; at++) yield bytesOf('x');
	}
	let now = 0;
	const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
	let turns = 0;
	const count = () => {
		turns++;
		next = setImmediate(count);
	};
	let next = setImmediate(count);
	for await (const { length } of readChunks(body(), 100)) now += length * workMs;
	clearImmediate(next);
	clock.mockRestore();
	return turns;
}

test.each([
	{ workMs: 1, turns: 0 },
	{ workMs: 3, turns: 2 },
	{ workMs: 25, turns: 20 },
])(
	'n8n does its other work after 20 ms of work on chunks: $workMs ms for each of 20',
	async ({ workMs, turns }) => {
		expect(await countTurns(workMs)).toBe(turns);
	},
);

test.each([
	{ what: 'in one part', parts: [[0x61, 0xe2, 0x82, 0xac]], text: 'a€' },
	{ what: 'in three parts', parts: [[0x61, 0xe2], [0x82], [0xac]], text: 'a€' },
	{ what: 'without its last byte', parts: [[0x61, 0xe2], [0x82]], text: 'a\uFFFD' },
	{ what: 'with a mark of its order', parts: [[0xef, 0xbb, 0xbf, 0x61]], text: 'a' },
	{ what: 'that is empty', parts: [], text: '' },
])(
	'the bytes $parts are the text "$text", whose last character may be cut',
	async ({ parts, text }) => {
		async function* body() {
			for (const part of parts) yield await Promise.resolve(Uint8Array.from(part));
		}
		expect(await readText(body(), { bytes: 100, parsedBytes: 1_000 })).toBe(text);
	},
);

test.each([1, 1_023, 1_024, 1_025, 5_000])(
	'the end of JSON in %d chunks is seen in the newest one',
	(count) => {
		const text = new BufferedText();
		const chunks = ['['.padEnd(2), ...Array<string>(count - 1).fill(' ')];
		for (const chunk of chunks) text.add(chunk);
		expect([text.mayHaveEnded(), text.hasEnded()]).toEqual([false, false]);
		text.add(']');
		expect([text.mayHaveEnded(), text.hasEnded()]).toEqual([true, true]);
		// Of a stream of values, the next one begins.
		text.add(',');
		expect(text.mayHaveEnded()).toBe(false);
	},
);
