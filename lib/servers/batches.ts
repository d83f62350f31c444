/** Splits texts into requests. */

/** Bytes of text per request: the smallest limits of servers and proxies are 1 MB. */
const MAX_BYTES = 512 * 1024;

interface BatchLimits {
	/** Texts per request. */
	count: number;
	/** Whether a text is sent alone, because it may be too long and would fail the others with it. */
	alone?(text: string): boolean;
}

/** Splits texts into batches, in order. A text above the byte limit becomes a batch of its own. */
export function batchesOf(texts: readonly string[], { count, alone }: BatchLimits): string[][] {
	const batches: string[][] = [];
	let bytes = 0;
	let isClosed = true;
	for (const text of texts) {
		const size = Buffer.byteLength(text);
		const isAlone = alone?.(text) === true;
		const last = batches.at(-1);
		if (
			isClosed ||
			isAlone ||
			last === undefined ||
			last.length >= Math.max(1, count) ||
			bytes + size > MAX_BYTES
		) {
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
 * Maps a list with up to `atOnce` calls of `work` at a time. @returns the results in the list's order. The first
 * failure aborts the other calls, and is thrown
 */
export async function mapConcurrently<T, R>(
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
	// Later failures are only the aborted calls.
	if (failures.length > 0) throw failures[0];
	return results;
}
