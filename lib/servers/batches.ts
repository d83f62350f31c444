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

/**
 * Works on a list, several entries at once, and gives the results in its order. The first failure ends the work on the
 * others.
 */
export async function eachAtOnce<T, R>(
	list: readonly T[],
	atOnce: number,
	signal: AbortSignal | undefined,
	work: (entry: T, signal: AbortSignal | undefined) => Promise<R>,
): Promise<R[]> {
	const results: R[] = [];
	if (atOnce <= 1 || list.length <= 1) {
		for (const entry of list) results.push(await work(entry, signal));
		return results;
	}
	const ended = new AbortController();
	const end = () => ended.abort();
	if (signal?.aborted === true) end();
	signal?.addEventListener('abort', end, { once: true });
	const failures: unknown[] = [];
	let next = 0;
	const worker = async () => {
		while (next < list.length && failures.length === 0) {
			const index = next++;
			await work(list[index]!, ended.signal).then(
				(result) => (results[index] = result),
				(error: unknown) => {
					failures.push(error);
					end();
				},
			);
		}
	};
	await Promise.all(Array.from({ length: Math.min(atOnce, list.length) }, worker));
	signal?.removeEventListener('abort', end);
	// The others failed because they were ended.
	if (failures.length > 0) throw failures[0];
	return results;
}
