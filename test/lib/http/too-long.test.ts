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

	it('has its own error class and name, and the message contains the limit', () => {
		const error = new BodyTooLongError();
		expect(error).toBeInstanceOf(Error);
		expect(error.name).toBe('BodyTooLongError');
		expect(error.message).toContain('16777216 characters');
	});
});
