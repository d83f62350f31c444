import fc from 'fast-check';
import { removeEchoes } from '../../../lib/errors/echoes';

test('a stretch of 24 characters of the request is removed, a shorter one stays', () => {
	const echo = 'x'.repeat(10) + ' out of memory ';
	expect(removeEchoes(`Invalid: ${echo}!`, [echo])).toBe('Invalid: !');
	expect(removeEchoes('CUDA out of memory', ['I am out of memory'])).toBe('CUDA out of memory');
});

test('what was removed had been in the request', () => {
	fc.assert(
		fc.property(fc.string({ maxLength: 80 }), fc.string({ maxLength: 80 }), (request, rest) => {
			const message = rest + request + rest;
			const kept = removeEchoes(message, [request]);
			expect(kept.length).toBeGreaterThanOrEqual(Math.min(message.length, 2 * rest.length) - 48);
			expect(removeEchoes(message, [])).toBe(message);
		}),
	);
});
