import fc from 'fast-check';
import { encodePathSegment } from '../../../lib/dify/client';
import { anyCodePoint } from '../../support/code-points';

const ROOT = 'http://host:1/v1';
const evil = fc.array(
	fc.oneof(
		fc.constantFrom('.', '..', '/', '\\', '%2e', '%2f', '?', '#', ';', '\t', '\r\n', '\ud800'),
		fc.string({ unit: anyCodePoint, maxLength: 3 }),
	),
	{ maxLength: 5 },
);

function tryOrUndefined(work: () => string): string | undefined {
	try {
		return work();
	} catch {
		return undefined;
	}
}

test('any value is one path segment, except for dots, which are rejected', () => {
	fc.assert(
		fc.property(evil, (parts) => {
			const value = parts.join('');
			const segment = tryOrUndefined(() => encodePathSegment(value));
			if (value === '.' || value === '..') return expect(segment).toBeUndefined();
			const { pathname, search, hash } = new URL(`${ROOT}/a/${segment}/b`);
			expect(pathname + search + hash).toBe(`/v1/a/${segment}/b`);
			expect(decodeURIComponent(segment!)).toBe(value.toWellFormed());
		}),
	);
});
