import { sleep } from 'n8n-workflow';

import { readToEnd } from '../generators';

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

/** Text that is read while more of it comes. */
export class TextQueue<R> {
	private waiting = '';
	private outcome: { value: R } | { error: Error } | undefined;
	private ended: Promise<void> | undefined;
	private wake = () => {};

	push(piece: string): void {
		this.waiting += piece;
		this.wake();
	}

	/** @param work fills the queue, and ends it with its result */
	endWith(work: Promise<R>): void {
		this.ended = work
			.then(
				(value) => void (this.outcome = { value }),
				(error: Error) => void (this.outcome = { error }),
			)
			.then(() => this.wake());
	}

	get hasEnded(): boolean {
		return this.outcome !== undefined;
	}

	/**
	 * The text, with at least `intervalMs()` between two pieces. The end, and an error, are handed on without waiting, after
	 * the text that came before.
	 */
	async *pieces(intervalMs: () => number = () => 0): AsyncGenerator<string, R> {
		for (;;) {
			const piece = this.waiting;
			if (piece !== '') {
				this.waiting = '';
				yield piece;
				const pause = intervalMs();
				if (this.outcome === undefined && pause > 0) await Promise.race([sleep(pause), this.ended]);
			} else if (this.outcome === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
			else if ('error' in this.outcome) throw this.outcome.error;
			else return this.outcome.value;
		}
	}
}

/**
 * Hands on the first text at once, and from then on what arrived in the meantime every `intervalMs()`. Everything that is
 * done per piece behind it (LangChain's chunks, n8n's events, a line to the browser) then costs per piece and not per
 * token, while a reader sees a steady flow.
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
	const queue = new TextQueue<R>();
	queue.endWith(readToEnd(source, (piece) => queue.push(piece)));
	streams++;
	try {
		return yield* queue.pieces(intervalMs);
	} finally {
		streams--;
		if (!queue.hasEnded) left.abort();
	}
}
