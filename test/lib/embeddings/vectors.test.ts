import { cutTo, normalised } from '../../../lib/embeddings/vectors';

const length = (vector: number[]) => Math.hypot(...vector);

test('fewer dimensions have length 1 again', () => {
	expect(cutTo([3, 4, 5], 2)).toEqual(
		[0.6000000000000001, 0.8].map((value) => expect.closeTo(value) as number),
	);
	expect(cutTo([3, 4], 2)).toEqual([3, 4]);
	expect(length(normalised([1e200, 1e200]))).toBeCloseTo(1);
});
