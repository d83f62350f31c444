import type * as http from 'node:http';
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers';
import type { Item, StreamKnobs } from './types';

/** All timers of a simulator, so that closing it clears them. */
export class Clock {
	private readonly pending = new Map<() => void, NodeJS.Timeout | undefined>();
	private readonly intervals = new Set<NodeJS.Timeout>();
	private over = false;

	/**
	 * Resolves after the time or the promise, or when the function passed to `onWaker` is called, or when the simulator closes.
	 */
	sleep(
		until: number | Promise<unknown>,
		onWaker: (waker: () => void) => void = () => undefined,
	): Promise<void> {
		if (this.over) return Promise.resolve();
		return new Promise((resolve) => {
			const done = () => {
				clearTimeout(this.pending.get(done));
				this.pending.delete(done);
				resolve();
			};
			this.pending.set(done, typeof until === 'number' ? setTimeout(done, until) : undefined);
			if (typeof until !== 'number') until.then(done, done);
			onWaker(done);
		});
	}

	every(ms: number, action: () => void): () => void {
		if (this.over) return () => undefined;
		const timer = setInterval(action, ms);
		this.intervals.add(timer);
		return () => {
			clearInterval(timer);
			this.intervals.delete(timer);
		};
	}

	close(): void {
		this.over = true;
		for (const done of [...this.pending.keys()]) done();
		for (const timer of this.intervals) clearInterval(timer);
		this.intervals.clear();
	}
}

/** One serialized item, before any transport setting (docs/protocols/dify.md 3.1). */
export function wireText(item: Item): string {
	if (item.kind === 'ping') return 'event: ping\n\n';
	if (item.kind === 'raw') return item.raw;
	if (item.kind === 'wait') return '';
	return `data: ${JSON.stringify(item.event)}\n\n`;
}

const PING_MS = 10_000;
const IDLE_LIMIT_MS = 300_000;
const RESET_AFTER_MS = 10;

function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

/** Writes one stream to one client, with the transport settings. Ignores writes after the client has disconnected. */
export class StreamWriter {
	/** The client disconnected before the end. */
	left = false;
	/** How many more events this stream gets; then only pings, or a reset if it had no snapshot. */
	hears: { events: number; then: 'pings' | 'reset' } | undefined;
	private queue: Promise<void> = Promise.resolve();
	private eventsSent = 0;
	private over = false;
	private silent = false;
	private stopTimers: () => void = () => undefined;
	private quiet = false;
	private lastEvent = Date.now();

	constructor(
		private readonly res: http.ServerResponse,
		private readonly knobs: StreamKnobs,
		private readonly clock: Clock,
		onLeave: () => void,
	) {
		res.on('close', () => {
			this.stopTimers();
			if (!this.over) {
				this.left = true;
				onLeave();
			}
		});
	}

	start(headers: Record<string, string>): void {
		this.res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', ...headers });
		this.res.flushHeaders();
		this.res.socket?.setNoDelay(true);
		const limit = IDLE_LIMIT_MS;
		const stopIdle = this.clock.every(limit, () => {
			if (Date.now() - this.lastEvent >= limit) this.end();
		});
		const stopPings = this.clock.every(this.knobs.pingEveryMs ?? PING_MS, () => {
			if (!this.quiet) void this.enqueue(() => this.send('event: ping\n\n'));
		});
		this.stopTimers = () => {
			stopIdle();
			stopPings();
		};
	}

	write(item: Item): Promise<void> {
		this.lastEvent = Date.now();
		return this.enqueue(async () => {
			if (this.over || this.silent || this.left) return;
			if (this.hears !== undefined && item.kind === 'event' && this.hears.events-- <= 0)
				return this.hears.then === 'reset' ? await this.cut('reset') : undefined;
			if (item.kind === 'wait') return;
			if (item.kind === 'ping') await this.send(wireText(item));
			else await this.sendEvent(wireText(item));
		});
	}

	/** Stops pings: a run that waits for a worker, or has ended, is silent until the idle limit. */
	fallSilent(): void {
		this.quiet = true;
	}

	/** Ends the stream. With `holdOpen`, pings and the idle timeout continue. */
	finish(holdOpen: boolean): Promise<void> {
		return this.enqueue(async () => {
			if (!holdOpen && !this.silent && this.hears === undefined) this.end();
		});
	}

	/** Whether the stream has no reader any more. */
	get isGone(): boolean {
		return this.over || this.left || this.silent;
	}

	private enqueue(action: () => Promise<void>): Promise<void> {
		this.queue = this.queue.then(action);
		return this.queue;
	}

	private end(): void {
		if (this.over) return;
		this.over = true;
		this.stopTimers();
		this.res.end();
	}

	private async sendEvent(text: string): Promise<void> {
		await this.send(text);
		this.eventsSent++;
		const { cut } = this.knobs;
		if (cut !== undefined && this.eventsSent >= cut.events) await this.cut(cut.how);
	}

	/** Waits one turn of the event loop, so that each write is sent separately. */
	private async send(text: string): Promise<void> {
		if (this.over || this.left || this.silent) return;
		this.res.write(text);
		await turn();
	}

	private async cut(how: 'eof' | 'reset' | 'silence'): Promise<void> {
		if (how === 'silence') {
			this.silent = true;
			this.stopTimers();
		} else if (how === 'eof') {
			this.end();
		} else {
			this.over = true;
			this.stopTimers();
			// A reset would discard bytes that the client has not read yet.
			await this.clock.sleep(RESET_AFTER_MS);
			this.res.socket?.resetAndDestroy();
		}
	}
}
