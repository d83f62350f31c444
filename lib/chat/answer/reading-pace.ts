import type { Pace } from '../../http/incoming-body';
import type { Limits } from '../../http/limits';
import type { ChatCall } from '../request/request';

/** Where nobody reads along, only limits and Stop look at the answer before its end. */
const UNSEEN_MS = 100;
/** Before the first text is shown, a reader waits for it: thinking that is not shown must not make it later. */
const BEFORE_TEXT_MS = 10;

/** How far an answer has come. */
export interface Progress {
	/** Something was generated that is more than white space: the first word may come next. */
	started: boolean;
	/** Text was given out. */
	shown: boolean;
	/** Only counts and the end marker may still come. */
	finished: boolean;
}

/**
 * How often the body of an answer is read. Reading costs per reading and not per token, so what a reader would get in
 * one piece is read in one. The first token and the end are waited for as they come.
 */
export class ReadingPace {
	private progress: Progress = { started: false, shown: false, finished: false };
	private readonly longest: number;

	constructor(
		private readonly call: Pick<ChatCall, 'whole' | 'pieceMs'>,
		{ idleMs = 0 }: Partial<Limits>,
	) {
		// What has arrived counts for the idle limit when it is read.
		this.longest = idleMs > 0 ? idleMs / 4 : Infinity;
	}

	note(progress: Progress): void {
		this.progress = progress;
	}

	/** Least milliseconds between two readings. */
	readonly interval: Pace = () => {
		const { started, shown, finished } = this.progress;
		if (!started || finished) return 0;
		const wanted = this.call.whole === true ? UNSEEN_MS : (this.call.pieceMs?.() ?? 0);
		return Math.min(wanted, shown || this.call.whole === true ? wanted : BEFORE_TEXT_MS, this.longest);
	};
}
