import fc from 'fast-check';

import { NdjsonDecoder } from '../../../lib/http/ndjson';
import { SseDecoder } from '../../../lib/http/sse';
import { BodyTooLongError, MAX_EVENT_LENGTH } from '../../../lib/http/too-long';

describe('a body that goes on for too long', () => {
	const text = 'x'.repeat(1024 * 1024);
	const bytes = new TextEncoder().encode(text);
	const sse = new SseDecoder();
	const ndjson = new NdjsonDecoder();

	it.each([
		[
			'an event',
			(first: boolean) => void sse.push(first ? new TextEncoder().encode('data: ') : bytes),
		],
		['a JSON line', (first: boolean) => void ndjson.push(first ? '{"response":"' : text)],
	])('%s with a picture of 8 MB passes, one without end is refused at the limit', (_what, push) => {
		push(true);
		let pieces = 0;
		const endless = () => {
			for (; pieces < 100; pieces++) push(false);
		};
		expect(endless).toThrow(BodyTooLongError);
		expect(pieces).toBeGreaterThan(8);
		expect(pieces * text.length).toBeLessThanOrEqual(MAX_EVENT_LENGTH);
	});

	it('has its own error class and name, and the message says what is too much', () => {
		const error = new BodyTooLongError('16 MB in one event');
		expect(error).toBeInstanceOf(Error);
		expect(error.name).toBe('BodyTooLongError');
		expect(error.message).toBe('more than 16 MB in one event');
	});
});

describe('what no server sends is bounded by count', () => {
	const LIMIT = 10_000;
	const IN_ONE = '10,000 events in the data of one';
	/** Repeated in the data of one event, or below an event; and the bound that the error names. */
	const FLOODS: Record<string, { floodOf: (count: number) => string; bound: string }> = {
		'values in one event': {
			floodOf: (count) => `data: ${'{}'.repeat(count)}\n\n`,
			bound: IN_ONE,
		},
		'values with a prefix': {
			floodOf: (count) => `data: ${'{"a":1}data: '.repeat(count)}\n\n`,
			bound: IN_ONE,
		},
		'lines in one event': {
			floodOf: (count) => `${'data: {}\n'.repeat(count)}\n`,
			bound: IN_ONE,
		},
		'lines that are no events': {
			floodOf: (count) => 'x\n'.repeat(count),
			bound: '10,000 lines that are no events',
		},
	};

	it.each(Object.keys(FLOODS))('%s', (name) => {
		const { floodOf, bound } = FLOODS[name]!;
		fc.assert(
			fc.property(fc.integer({ min: LIMIT - 20, max: LIMIT + 20 }), (count) => {
				const decoder = new SseDecoder();
				const read = () => decoder.push(Buffer.from(floodOf(count)));
				if (count > LIMIT) expect(read).toThrow(new BodyTooLongError(bound));
				else expect([0, count]).toContain(read().length);
			}),
			{ numRuns: 6 },
		);
	});

	it('fields with unknown names', () => {
		const decoder = new SseDecoder();
		expect(() => decoder.push(Buffer.from('DATA: {}\n'.repeat(100_001)))).toThrow(BodyTooLongError);
	});
});
