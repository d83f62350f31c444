/** Limits that a user can reach: the largest size within, and the smallest beyond. */

export interface Limit<Result> {
	/** The number in the source, which the test repeats, so that a change of it is noticed. */
	limit: number;
	/** What happens with so much. */
	outcome(size: number): Result | Promise<Result>;
	/** Expected with the largest size that is within. */
	within: NoInfer<Result>;
	/** Expected with one step more. */
	beyond: NoInfer<Result>;
	/** Whether the limit itself is beyond: "fewer than" instead of "at most". */
	isExclusive?: boolean;
	/** The difference of two sizes. Default: 1. */
	step?: number;
	/** What is counted, if there are several tests of a limit: `wide characters`. */
	of?: string;
}

/**
 * @param constant file and name of the limit, such as `lib/http/request.ts#MAX_ERROR_BYTES`
 */
export function testLimit<Result>(
	constant: `${string}.ts#${string}`,
	{ limit, outcome, within, beyond, isExclusive = false, step = 1, of = '' }: Limit<Result>,
): void {
	const largest = isExclusive ? limit - step : limit;
	const sizes: Array<[size: number, is: string, expected: Result]> = [
		[largest, 'is within', within],
		[largest + step, 'is beyond', beyond],
	];
	test.each(sizes)(`${constant}: %s ${of} %s`, async (size, _is, expected) => {
		expect({ size, outcome: await outcome(size) }).toEqual({ size, outcome: expected });
	});
}

/** A text of so many bytes, with as many wide characters (three bytes, one unit) as fit. */
export const textOfBytes = (bytes: number): string =>
	'界'.repeat(Math.floor(bytes / 3)) + 'a'.repeat(bytes % 3);

/** A text of so many Chinese characters that have two units in UTF-16 and four bytes each. */
export const textOfCharacters = (count: number): string => '𠀀'.repeat(count);
