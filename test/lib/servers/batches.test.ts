import fc from 'fast-check';

import { batchesOf } from '../../../lib/servers/batches';

test('batches keep every text and its order, and both limits', () => {
	fc.assert(
		fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 9 }), (texts, count) => {
			const batches = batchesOf(texts, { count, alone: (text) => text.length > 8 });
			expect(batches.flat()).toEqual(texts);
			expect(batches.every((batch) => batch.length >= 1 && batch.length <= count)).toBe(true);
			expect(
				batches.every((batch) => batch.length === 1 || batch.every((text) => text.length <= 8)),
			).toBe(true);
		}),
	);
	const large = 'x'.repeat(300_000);
	expect(batchesOf([large, large, 'a', 'b'], { count: 32 }).map((batch) => batch.length)).toEqual([
		1, 3,
	]);
});
