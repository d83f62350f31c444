import { messageOf, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { createRun } from '../events';
import { stoppedEarly } from '../errors/failure';
import type { RunHints, RunResult, TextDelta } from '../types';
import { conclude } from './endings';
import { Inbox } from './inbox';
import { StreamReader, type StreamRequest } from './stream-reader';
import { DEFAULT_RUN_LIMITS, type RunLimits } from './limits';
import type { Action, Ending, Fact, Observation, Plan, Waits } from './observation';
import { lookAt } from './record';
import { createObservation, next } from './rules';

/** What a caller of a run may want. */
export interface RunListeners {
	hints?: RunHints;
	/** Called with text changes for a live display. */
	onDeltas?: (deltas: TextDelta[]) => Promise<void>;
	/** Waits other than the usual ones. */
	waits?: Partial<Omit<Waits, 'looksMs'>> & { looksMs?: readonly number[] };
}

interface Observed extends RunListeners {
	plan: Partial<Plan> & Pick<Plan, 'begin'>;
	limits?: Partial<RunLimits>;
	/** The request that starts the run. */
	request?: { url: string; json: JsonRecord };
	/** Who started the run. */
	user?: string;
	/** A run that was started before. */
	runId?: string;
	/** Tells Dify to stop the run. @returns whether it accepted that */
	stop?: (taskId: string) => Promise<boolean>;
}

/** Silence is often that of a node that works; an attached stream has often lost its run. */
const LOOKS_MS = { send: [15_000], attach: [3_000, 5_000, 8_000, 15_000] };

const WAITS = {
	pauseMs: 1_000,
	maxPauseMs: 10_000,
	openMs: 15_000,
	unknownMs: 10_000,
	unseenMs: 30_000,
	stoppedLooksMs: [0, 1_000, 2_000],
};

function planOf({ plan, limits, waits, stop }: Observed): Plan {
	return {
		recovery: 'none',
		...plan,
		stops: stop !== undefined,
		limits: { ...DEFAULT_RUN_LIMITS, ...limits },
		waits: { ...WAITS, ...waits, looksMs: looksOf(waits?.looksMs) },
	};
}

/** @param everywhere the same looks for every stream */
function looksOf(everywhere: readonly number[] | undefined): Waits['looksMs'] {
	return everywhere === undefined ? LOOKS_MS : { send: everywhere, attach: everywhere };
}

/**
 * Observes a run until it is over: carries out what the rules say (`rules/`), and tells them what happens.
 *
 * @returns a run that succeeded, paused, or was stopped by someone else
 * @throws {ServerError} with the partial result and all IDs
 */
export async function observeRun(client: DifyClient, observed: Observed): Promise<RunResult> {
	const run = Object.assign(createRun(observed.hints), { workflowRunId: observed.runId });
	const state = createObservation(planOf(observed), run, performance.now());
	const inbox = new Inbox<Fact>();
	const performer = new Performer(client, observed, state, inbox);
	performer.begin();
	try {
		for (let fact: Fact = { type: 'begin' }; ; ) {
			const { actions, wakeAt } = next(state, fact, performance.now());
			for (const action of actions) {
				if (action.do === 'end') return await performer.end(action.ending);
				performer.perform(action);
			}
			performer.readOn();
			fact = (await inbox.take(wakeAt)) ?? { type: 'silence' };
		}
	} finally {
		performer.close();
	}
}

/** Does what the rules say, and reports what comes of it. */
class Performer {
	private reader: StreamReader | undefined;
	/** The last changes of the text, on their way to the display. */
	private showing: Promise<void> | undefined;
	private readonly aborted: Promise<void>;
	private readonly onAbort = () => this.inbox.put({ type: 'stop', why: { reason: 'cancelled' } });

	constructor(
		private readonly client: DifyClient,
		private readonly observed: Observed,
		private readonly state: Observation,
		private readonly inbox: Inbox<Fact>,
	) {
		const { signal } = client;
		this.aborted = new Promise((resolve) =>
			signal?.addEventListener('abort', () => resolve(), { once: true }),
		);
	}

	/** @throws {ServerError} where the execution was stopped before */
	begin(): void {
		const { signal } = this.client;
		if (signal?.aborted === true) throw stoppedEarly(this.url);
		signal?.addEventListener('abort', this.onAbort, { once: true });
	}

	perform(action: Exclude<Action, { do: 'end' }>): void {
		switch (action.do) {
			case 'send':
				return this.open(action.stream, { url: this.url, json: this.observed.request!.json });
			case 'attach':
				return this.open(action.stream, { url: this.eventsUrl, method: 'GET' });
			case 'close':
				return this.reader?.close();
			case 'show':
				return this.show(action.deltas);
			case 'look':
				return this.report(this.look(action.look, action.runId));
			case 'stop':
				return this.report(this.stop(action.taskId));
		}
	}

	/** Reads on as soon as the display has taken the last changes. */
	readOn(): void {
		const { reader } = this;
		if (this.showing === undefined || this.state.abandoned !== undefined) reader?.readOn();
		else void this.showing.then(() => reader?.readOn());
	}

	async end(ending: Ending): Promise<RunResult> {
		// A display that hangs must not block a run that was stopped.
		await Promise.race([this.showing, this.aborted]);
		const { client, state, observed: display, url } = this;
		return await conclude({ client, state, display, url }, ending);
	}

	/** Releases the connection and the signal. */
	close(): void {
		this.reader?.close();
		this.client.signal?.removeEventListener('abort', this.onAbort);
	}

	private get runId(): string | undefined {
		return this.state.run.workflowRunId;
	}

	/** URL of the request that begins the observation. */
	private get url(): string {
		return this.observed.request?.url ?? this.eventsUrl;
	}

	private get eventsUrl(): string {
		return this.client.url(`/workflow/${this.runId}/events`, {
			user: this.observed.user,
			include_state_snapshot: 'true',
			continue_on_pause: this.acrossPauses ? 'true' : undefined,
		});
	}

	private get acrossPauses(): boolean {
		return this.observed.hints?.acrossPauses === true;
	}

	private open(number: number, request: StreamRequest): void {
		const reader = new StreamReader(number, (fact) => this.inbox.put(fact));
		this.reader = reader;
		this.report(reader.read(this.client, request));
	}

	private show(deltas: TextDelta[]): void {
		this.showing = failureOf(async () => await this.observed.onDeltas?.(deltas)).then((problem) => {
			this.showing = undefined;
			if (problem === undefined) return;
			// Nobody would see the rest of the answer.
			const detail = `the answer could not be passed on: ${problem}`;
			this.inbox.put({ type: 'stop', why: { reason: 'cancelled', detail } });
		});
	}

	private async look(look: number, runId: string): Promise<void> {
		const sight = await lookAt(this.client, runId, this.acrossPauses);
		this.inbox.put({ type: 'looked', look, ...sight });
	}

	private async stop(taskId: string): Promise<void> {
		this.inbox.put({ type: 'stopAnswered', isAccepted: await this.observed.stop!(taskId) });
	}

	private report(work: Promise<void>): void {
		work.catch((error: unknown) => this.inbox.fail(error));
	}
}

/** The error text of `work`; undefined where it succeeded. */
async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
	try {
		await work();
		return undefined;
	} catch (error) {
		return messageOf(error);
	}
}
