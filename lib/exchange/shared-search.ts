/**
 * One search for all requests of an execution that a server refuses alike. In: a refusal that nothing explains, and the step that
 * the rules take. Out: that step for the first one, and for the others what it found. Remembers nothing: the searches are those
 * of the execution.
 */
import { MAX_REFUSAL_MS } from '../http/busy';
import { DEFAULT_TIMEOUTS, setUnrefTimeout } from '../http/timeouts';
import type { Timeouts } from '../http/timeouts';
import type { RequestChange } from '../servers/lessons';
import { getProfile } from '../servers/profile';
import type { RunningSearch, SearchResult } from '../servers/running-searches';
import type { JsonRecord } from '../values/records';
import { readChanges } from './lessons';
import type { LessonStore } from './lessons';
import { withChanges } from './rules';
import type { Step } from './rules';
import { toFailureKey } from './server-failure';
import type { AttemptOutcome, ExchangeState, FailedOutcome, RuleName } from './types';

/** What an exchange asks before a step. */
export interface SearchQuestion<D, V> {
	state: ExchangeState<D>;
	outcome: AttemptOutcome<D, V>;
	step: Step<D, V>;
	/** The step that the rules take after another one has searched: it may have stored a lasting failure. */
	decideAgain(): Step<D, V>;
}

/** Steps after a refusal without a word that leads to a change. */
const SEARCHING: readonly RuleName[] = ['serverFailure', 'strictForm'];

/** The part that one exchange has in the searches of its execution: it searches, or waits for another one. */
export class SharedSearch {
	/** The search of this exchange. */
	private own: RunningSearch | undefined;
	/** Another one has found nothing that helps. */
	private isAlone = false;
	/** The server has refused the last request of this exchange. */
	private isRefused = false;
	/** How long its next request has waited for another one. */
	private waitedMs = 0;

	constructor(
		private readonly store: LessonStore,
		private readonly caller: { signal?: AbortSignal; timeouts?: Partial<Timeouts> },
	) {}

	/**
	 * The step of the exchange. The first one that is refused goes on; those that are refused alike wait until the server has begun
	 * with a request of it, then send what it sent. If it ends without saying what the server accepts (Stop, a timeout, a lost
	 * connection, an error of ours), one of them searches in its place: nobody inherits its failure.
	 *
	 * A wait is a part of the time in which the next request gets its first token, as that in n8n's queue: the search waits there,
	 * too, and otherwise no longer than a server needs to refuse. So nobody has this time twice, or loses it: who has waited for all
	 * of it would have waited as long in the queue, and fails with his own timeout. Nobody waits after Stop.
	 */
	async share<D, V>({
		state,
		outcome,
		step,
		decideAgain,
	}: SearchQuestion<D, V>): Promise<Step<D, V>> {
		if (this.own !== undefined || this.isAlone || !isSearching(step, outcome)) return step;
		const { server, key } = this.store;
		const profile = getProfile(server);
		const refusal = toFailureKey(outcome.error);
		const startedAt = performance.now();
		for (;;) {
			const running = profile.findSearch(key, refusal);
			const result = running && (await this.waitFor(running));
			const isOver = running !== undefined && result === undefined;
			this.waitedMs = isOver ? this.maxWaitMs : performance.now() - startedAt;
			if (result?.type === 'abandoned') continue;
			const changes = result?.type === 'accepted' ? result.changes : readChanges(this.store);
			const found = findNewChanges(changes, state);
			if (running === undefined && found.length === 0) {
				this.own = profile.beginSearch(key, refusal);
				return step;
			}
			this.isAlone = true;
			return found.length === 0
				? decideAgain()
				: { type: 'send', rule: 'strictForm', ...withChanges(state.request, found) };
		}
	}

	/** How long the next request has waited; 0 for those after it. */
	takeWaitedMs(): number {
		const { waitedMs } = this;
		this.waitedMs = 0;
		return waitedMs;
	}

	/**
	 * A request of this exchange leaves the queue: what the server does not refuse soon, it has begun, such as to read a long prompt.
	 *
	 * @returns a function to call when its response has ended
	 */
	onSend(changes: readonly RequestChange[]): () => void {
		const { own } = this;
		return own === undefined
			? () => {}
			: setUnrefTimeout(MAX_REFUSAL_MS, () => own.accept(changes));
	}

	/** The server begins to respond to a request of this exchange. */
	onAccepted(changes: readonly RequestChange[]): void {
		this.own?.accept(changes);
	}

	/** @param changes - Of the request that had this outcome. */
	onOutcome(outcome: AttemptOutcome<unknown, unknown>, changes: readonly RequestChange[]): void {
		this.isRefused = outcome.type === 'failed' && isRefusal(outcome);
		if (outcome.type !== 'failed') this.onAccepted(changes);
	}

	/** The exchange has ended. */
	onEnd(): void {
		const isStopped = this.caller.signal?.aborted === true;
		this.own?.end({ type: this.isRefused && !isStopped ? 'refused' : 'abandoned' });
	}

	/** In which a request gets its first token. */
	private get maxWaitMs(): number {
		const { firstTokenMs, totalMs } = { ...DEFAULT_TIMEOUTS, ...this.caller.timeouts };
		return Math.min(firstTokenMs || Infinity, totalMs || Infinity);
	}

	/** @returns undefined at Stop, or if the time in which the next request gets its first token is over. */
	private async waitFor({ result }: RunningSearch): Promise<SearchResult | undefined> {
		const { signal } = this.caller;
		let stopWaiting = () => {};
		const stopped = new Promise<undefined>((resolve) => {
			stopWaiting = () => resolve(undefined);
		});
		const cancel = setUnrefTimeout(this.maxWaitMs - this.waitedMs, stopWaiting);
		signal?.addEventListener('abort', stopWaiting, { once: true });
		try {
			return await Promise.race([result, stopped]);
		} finally {
			cancel();
			signal?.removeEventListener('abort', stopWaiting);
		}
	}
}

function isSearching<D, V>(
	step: Step<D, V>,
	outcome: AttemptOutcome<D, V>,
): outcome is FailedOutcome {
	const isOfSearch = step.type === 'send' && SEARCHING.includes(step.rule);
	return isOfSearch && outcome.type === 'failed' && isRefusal(outcome);
}

/** Whether the server refused the request at once: what fails later was begun, so others would wait for long. */
function isRefusal({ error, elapsedMs = 0 }: FailedOutcome): boolean {
	return error.report !== undefined && elapsedMs < MAX_REFUSAL_MS;
}

/** The changes that this exchange has not tried; none if they leave its body as it is. */
function findNewChanges<D>(
	changes: readonly RequestChange[],
	{ request, body }: ExchangeState<D>,
): readonly RequestChange[] {
	const isTried = ({ name }: RequestChange) => request.changes.some((tried) => tried.name === name);
	const added = changes.filter((change) => change.keptFor !== 'exchange' && !isTried(change));
	const changed = added.reduce<JsonRecord>((sent, { apply }) => apply(sent), body);
	return changed === body ? [] : added;
}
