import type { Pace } from '../../http/incoming-body';
import type { Limits } from '../../http/limits';
import type { ChatCall } from '../request/request';

/** For answers that are needed only as a whole: before their end, only limits and cancelling matter. */
const UNSEEN_MS = 100;
/** Before the first text: hidden thinking must not delay it. */
const BEFORE_TEXT_MS = 10;

/**
 * How often the body of an answer is read. The cost is per read, not per token, so everything that the user would see
 * in one piece is read at once. The first token and the end are read without delay.
 */
export class ReadingPace implements Pace {
	/**
	 * How far the answer has come. Started: more than white space was generated, so the first word may come next. Shown:
	 * text was yielded. Finished: only token counts and the end marker may follow.
	 */
	progress = { started: false, shown: false, finished: false };
	private readonly longest: number;

	constructor(
		private readonly call: Pick<ChatCall, 'whole' | 'pieceMs'>,
		{ idleMs = 0 }: Partial<Limits>,
	) {
		// The idle limit is reset by reading, so reads must be much more frequent.
		this.longest = idleMs > 0 ? idleMs / 4 : Infinity;
	}

	/** Least milliseconds between two reads. */
	interval(): number {
		const { started, shown, finished } = this.progress;
		if (!started || finished) return 0;
		if (this.call.whole === true) return Math.min(UNSEEN_MS, this.longest);
		const pieceMs = this.call.pieceMs?.() ?? 0;
		const shortest = shown ? pieceMs : Math.min(pieceMs, BEFORE_TEXT_MS);
		return Math.min(shortest, this.longest);
	}
}
