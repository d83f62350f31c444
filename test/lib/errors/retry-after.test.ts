import fc from 'fast-check';
import { parseRetryAfter } from '../../../lib/errors/retry-after';

const NOW = Date.parse('2026-11-20T20:00:00Z');

test.each([
	['5', 5_000],
	[' 0 ', 0],
	['1.2345', 1_235],
	['Fri, 20 Nov 2026 20:00:30 GMT', 30_000],
	['Fri, 20 Nov 2026 19:59:00 GMT', 0],
	['-5', undefined],
	['soon', undefined],
	['', undefined],
	[undefined, undefined],
])('Retry-After %j is %j ms', (header, ms) => {
	expect(parseRetryAfter(header, NOW)).toBe(ms);
});

test('no header gives an invalid time', () => {
	fc.assert(
		fc.property(fc.string(), (header) => {
			expect(parseRetryAfter(header, NOW) ?? 0).toBeGreaterThanOrEqual(0);
		}),
	);
});
