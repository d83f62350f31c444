import type { Pace } from '../../http/incoming-body';
import type { Limits } from '../../http/limits';
import type { ChatCall } from '../request/request';

/** For answers that are needed only as a whole: before their end, only limits and cancelling matter. */
const UNSEEN_MS = 100;
/** Before the first text: hidden thinking must not delay it. */
const BEFORE_TEXT_MS = 10;

/** How far an answer has come. */
export interface Progress {
	/** More than white space was generated: the first word may come next. */
	started: boolean;
	/** Text was yielded. */
	shown: boolean;
	/** Only token counts and the end marker may follow. */
	finished: boolean;
}

/**
 * How often the body of an answer is read. The cost is per read, not per token, so everything that the user would see
 * in one piece is read at once. The first token and the end are read without delay.
 */
export class ReadingPace {
	private progress: Progress = { started: false, shown: false, finished: false };
	private readonly longest: number;

	constructor(
		private readonly call: Pick<ChatCall, 'whole' | 'pieceMs'>,
		{ idleMs = 0 }: Partial<Limits>,
	) {
		// The idle limit is reset by reading, so reads must be much more frequent.
		this.longest = idleMs > 0 ? idleMs / 4 : Infinity;
	}

	note(progress: Progress): void {
		this.progress = progress;
	}

	/** Least milliseconds between two reads. */
	readonly interval: Pace = () => {
		const { started, shown, finished } = this.progress;
		if (!started || finished) return 0;
		const wanted = this.call.whole === true ? UNSEEN_MS : (this.call.pieceMs?.() ?? 0);
		return Math.min(wanted, shown || this.call.whole === true ? wanted : BEFORE_TEXT_MS, this.longest);
	};
}
