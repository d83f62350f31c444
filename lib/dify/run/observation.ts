import type { ServerError } from '../../errors/server-error';
import type { AnswerHead } from '../../http/types';
import type { RunState } from '../events';
import type { AbandonReason, FinishReason, RunResult, StreamEndReason, TextDelta } from '../types';
import type { RunLimits } from './limits';
import type { RunRecord, Sight } from './record';

/*
 * How a run ends, from its streams to its user:
 *
 * | Type         | Says                             | Made by                                             |
 * | ------------ | -------------------------------- | --------------------------------------------------- |
 * | `Closing`    | how one stream ended             | `StreamReader`, and rules that close it             |
 * | `Verdict`    | what that says about the run     | `endOfStream` (`rules/ends.ts`)                     |
 * | `Abandoned`  | why we gave the run up           | limits, Stop                                        |
 * | `Ending`     | how the observation ends         | the rules                                           |
 * | `RunResult`  | `status`, and `error.cause`      | `conclude` (`endings.ts`), by events or by a record |
 */

/** Waits of an observation in milliseconds. */
export interface Waits {
	/** Silence of a stream before each look at the record; the last value repeats. */
	looksMs: Readonly<Record<StreamState['kind'], readonly number[]>>;
	/** Before the second attachment; it doubles up to `maxPauseMs`. */
	pauseMs: number;
	maxPauseMs: number;
	/** In which attaching must be answered: an API that restarts accepts connections before it answers. */
	openMs: number;
	/** In which a run that has no stream must have a record. */
	unknownMs: number;
	/** In which a run that cannot be attached to must be seen in its record: an API that restarts answers nothing. */
	unseenMs: number;
	/** Before each look at the record of a stopped run, which Dify writes a moment after the stream ends. */
	stoppedLooksMs: readonly number[];
}

/** What is done about a run whose stream was lost. */
export type Recovery =
	/** It is a failure. */
	| 'none'
	/** It is attached to, which Dify 1.14 and later can. */
	| 'attach'
	/** Where that is impossible, its record is read until the run is over. */
	| 'attachOrPoll';

/** What an observation is for. */
export interface Plan {
	/** `send`: starts the run. `attach`: the run was started before. */
	begin: 'send' | 'attach';
	limits: RunLimits;
	waits: Waits;
	/** Whether Dify is told to stop the run when it is abandoned. */
	stops: boolean;
	recovery: Recovery;
}

/** Why the run was given up before its end. */
export interface Abandoned {
	reason: AbandonReason;
	detail?: string;
}

/** How a stream ended. */
export interface Closing {
	reason: StreamEndReason;
	detail?: string;
	/** The answer that came in place of a stream, or the failure to get any. */
	failed?: ServerError;
}

/** What happened, whatever told it. */
export type Fact =
	| StreamFact
	| { type: 'begin' }
	| ({ type: 'looked'; look: number } & Sight)
	| { type: 'stop'; why: Abandoned }
	| { type: 'stopAnswered'; isAccepted: boolean }
	| { type: 'silence' };

/** What happened on a stream, which is known by its number: old ones may still report. */
export type StreamFact = { stream: number } & (
	| { type: 'answered'; head: Pick<AnswerHead, 'url' | 'headers'> }
	| { type: 'bytes' }
	| { type: 'events'; events: unknown[] }
	| { type: 'closed'; closing: Closing }
);

/** How the observation ends. */
export type Ending =
	| { how: 'finished'; reason: FinishReason; detail?: string; stoppedRecord?: RunRecord }
	| { how: 'recorded'; record: RunRecord }
	| { how: 'failed'; failed: ServerError }
	| { how: 'unanswered'; why: Abandoned }
	| { how: 'unknownRun' }
	| { how: 'stillRunning'; limitMs: number };

/** What to do next. */
export type Action =
	| { do: 'send' | 'attach'; stream: number }
	| { do: 'close' }
	| { do: 'show'; deltas: TextDelta[] }
	| { do: 'look'; look: number; runId: string }
	| { do: 'stop'; taskId: string }
	| { do: 'end'; ending: Ending };

/** How a stream stands. */
export interface StreamState {
	kind: 'send' | 'attach';
	openedAt: number;
	/** When the headers came. */
	answeredAt?: number;
	lastPieceAt: number;
	/** Pieces of the answer, pings too. */
	pieces: number;
	/** The last events, or where none came the last progress of the run. */
	lastEventAt: number;
	hasEvents: boolean;
	/** The last events, or the last look at the record. */
	quietSince: number;
	/** Looks at the record since the last events. */
	looksInSilence: number;
	/** When the stream is closed although Dify leaves it open. */
	closesAt?: number;
	/** The end of the run, by its record: the last events come a moment later. */
	endRecord?: { record: RunRecord; at: number };
	/** A limit that has run out: the run is abandoned unless its record says that it is over. */
	limitReached?: Abandoned;
}

/** A look at the record that has not been answered. */
export interface Look {
	number: number;
	why: 'silence' | 'limit' | 'lost' | 'stopped';
}

/** What is known of the run, its streams and its record. Times are milliseconds of one clock. */
export interface Observation {
	readonly plan: Plan;
	/** What Dify has told of the run. */
	run: RunState;
	readonly beganAt: number;
	/** Of the last fact. */
	now: number;
	/** URL and headers of the last answer. */
	head?: Pick<AnswerHead, 'url' | 'headers'>;
	/** The open stream. */
	stream?: StreamState;
	/** Counts streams. */
	streamCount: number;
	pendingLook?: Look;
	/** Counts looks. */
	lookCount: number;
	/** How the stream of the new run was lost; set once the run is followed. */
	lost?: { closing: Closing; result: RunResult; head?: Pick<AnswerHead, 'url' | 'headers'> };
	/** Whether Dify has confirmed the run, so that it is worth waiting for an API that restarts. */
	isConfirmed: boolean;
	/** Whether the run can be attached to: not before Dify 1.14. */
	isAttachable: boolean;
	/** Why the last attachment failed. */
	attachFailure?: ServerError;
	/** Attachments that brought no end. */
	failedAttachments: number;
	/** When the run is attached to, or looked at, again. */
	resumesAt?: number;
	/** Since when Dify has said that it has no such run. */
	unknownSince?: number;
	/** Whether a look has shown that the run goes on. */
	wasSeenRunning: boolean;
	/** Whether the last look at the record was refused. */
	isLookRefused: boolean;
	/** Records that showed a pause, whose forms only a stream has. */
	pausedRecords: number;
	/** Whether a pause that came live was seen in a snapshot, too. */
	isPauseConfirmed: boolean;
	/** What the run had done when it was last seen to get on. */
	progress: { mark: string; at: number };
	/** Looks at the record of a run that ended as stopped. */
	stoppedLooks: number;
	abandoned?: Abandoned & { at: number };
	stop?: { at: number; isAccepted?: boolean };
	/** Waits for the answer to the stop. */
	ending?: Ending;
}
