import { sleep } from 'n8n-workflow';

/** Pieces per second over all streams of one n8n process. With many streams, each gets fewer and larger ones. */
const PIECES_PER_SECOND = 400;

let streams = 0;

/** 25 pieces per second look like steady typing. */
const PIECE_INTERVAL_MS = 40;

/** Milliseconds between two pieces of a stream; more while many streams run. */
export function pieceInterval(): number {
	return Math.max(PIECE_INTERVAL_MS, (streams / PIECES_PER_SECOND) * 1000);
}

/** A queue of text between one writer and one reader, with a final result. */
export class TextQueue<R> {
	private waiting = '';
	private outcome: { value: R } | { error: Error } | undefined;
	private ended: Promise<void> | undefined;
	private wake = () => {};

	push(piece: string): void {
		this.waiting += piece;
		this.wake();
	}

	/** @param work pushes the text; its result, or its failure, ends the queue */
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
	 * The text, with at least `intervalMs()` milliseconds between two pieces. The end, and an error, follow the last text
	 * without a pause.
	 */
	async *pieces(intervalMs: () => number = () => 0): AsyncGenerator<string, R> {
		for (;;) {
			const piece = this.waiting;
			if (piece !== '') {
				this.waiting = '';
				yield piece;
				const pause = intervalMs();
				if (this.outcome === undefined && pause > 0) await Promise.race([sleep(pause), this.ended]);
			} else if (this.outcome === undefined)
				await new Promise<void>((resolve) => (this.wake = resolve));
			else if ('error' in this.outcome) throw this.outcome.error;
			else return this.outcome.value;
		}
	}
}

/**
 * Yields the first text at once, and then, at the pace of `pieceInterval`, all text that arrived since. The work per
 * piece behind it (LangChain's chunks, n8n's events, a line to the browser) is thus not done per token, while a reader
 * sees a steady flow.
 *
 * @param work pushes the text
 * @param abandoned aborted when the consumer stops before the end, so that the work stops too
 * @returns the result of the work
 */
export async function* piecesOf<R>(
	work: (show: (piece: string) => void) => Promise<R>,
	abandoned: AbortController,
): AsyncGenerator<string, R> {
	const queue = new TextQueue<R>();
	queue.endWith(work((piece) => queue.push(piece)));
	streams++;
	try {
		return yield* queue.pieces(pieceInterval);
	} finally {
		streams--;
		if (!queue.hasEnded) abandoned.abort();
	}
}
