import { sleep } from 'n8n-workflow';

/**
 * Pieces a second that one n8n process hands on over all its streams. With many readers each gets fewer, larger ones.
 */
const PIECES_PER_SECOND = 400;

let streams = 0;

/** 25 pieces a second look like steady typing. */
const PIECE_INTERVAL_MS = 40;

/** Milliseconds between two pieces of a stream; longer while very many streams run. */
export function pieceInterval(): number {
	return Math.max(PIECE_INTERVAL_MS, (streams / PIECES_PER_SECOND) * 1000);
}

/**
 * Hands on the first text at once, and from then on what arrived in the meantime every `intervalMs()`. Everything that is
 * done per piece behind it (LangChain's chunks, n8n's events, a line to the browser) then costs per piece and not per
 * token, while a reader sees a steady flow. The end, and an error, are handed on without waiting, after the text that
 * came before.
 *
 * @param left aborted when the reader leaves before the end, so that `source` stops too: a generator that waits cannot
 *   be returned from outside
 * @param intervalMs least time between two pieces; 0 where the source keeps a pace of its own
 * @returns what `source` returns
 */
export async function* inPieces<R>(
	source: AsyncGenerator<string, R>,
	intervalMs: () => number,
	left: AbortController,
): AsyncGenerator<string, R> {
	let text = '';
	let outcome: { value: R } | { error: unknown } | undefined;
	let wake = () => {};

	const pump = async () => {
		try {
			for (;;) {
				const next = await source.next();
				if (next.done) {
					outcome = { value: next.value };
					return;
				}
				text += next.value;
				wake();
			}
		} catch (error) {
			outcome = { error };
		}
	};
	streams++;
	const ended = pump().then(() => wake());

	try {
		for (;;) {
			if (text !== '') {
				const piece = text;
				text = '';
				yield piece;
				const pause = intervalMs();
				if (outcome === undefined && pause > 0) await Promise.race([sleep(pause), ended]);
			} else if (outcome === undefined) {
				await new Promise<void>((resolve) => (wake = resolve));
				wake = () => {};
			} else if ('error' in outcome) {
				throw asIs(outcome.error);
			} else {
				return outcome.value;
			}
		}
	} finally {
		streams--;
		if (outcome === undefined) left.abort();
	}
}

function asIs(error: unknown): unknown {
	return error;
}
