/** Cuts texts into requests. Pure. */

/** Servers and proxies limit bodies, from 1 MB on. */
const MAX_BYTES = 512 * 1024;

export interface BatchLimits {
	/** Texts in one request. */
	count: number;
	/** Texts that go by themselves, because they may be too long and fail the others with them. */
	alone?(text: string): boolean;
}

/** The texts in order, cut into batches. A text above the limit of bytes makes a batch of its own. */
export function batchesOf(texts: readonly string[], { count, alone }: BatchLimits): string[][] {
	const batches: string[][] = [];
	let bytes = 0;
	let isClosed = true;
	for (const text of texts) {
		const size = Buffer.byteLength(text);
		const isAlone = alone?.(text) === true;
		const last = batches.at(-1);
		if (isClosed || isAlone || last === undefined || last.length >= Math.max(1, count) || bytes + size > MAX_BYTES) {
			batches.push([text]);
			bytes = size;
		} else {
			last.push(text);
			bytes += size;
		}
		isClosed = isAlone;
	}
	return batches;
}
