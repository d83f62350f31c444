/** Shapes of `npm run test:soak`. */

/** What n8n's process holds while idle, after a garbage collection. */
export interface Sample {
	heapUsed: number;
	external: number;
	rss: number;
	/** Open sockets and pipes of the event loop. */
	openSockets: number;
	/** Socket objects, open or not. */
	sockets: number;
	/** Timers that keep the event loop alive. */
	timers: number;
	/** Listeners of every EventTarget, mostly abort signals. */
	abortListeners: number;
	abortSignals: number;
	/** Connection pools of the package. */
	pools: number;
}

/** One run of a workflow. */
export interface RunRecord {
	profile: string;
	/** Name of the fault, empty for none. */
	fault: string;
	/** Milliseconds since the start of the measurement. */
	atMs: number;
	ms: number;
	/** `left`, `stopped`: by the client. */
	outcome: 'answered' | 'failed' | 'left' | 'stopped' | 'hung';
	/** What the caller read. */
	text: string;
}

/** A profile of a run. */
export interface LoadProfile {
	name: string;
	/** How often it comes, relative to the others. */
	weight: number;
	/** Faults that may happen to it. */
	faults: readonly string[];
	/** A fault that happens in each run. */
	always?: string;
	/** Streamed through the Chat Trigger, or answered as a whole by the Webhook. */
	way: 'chat' | 'webhook';
	/** What the user says. */
	text: string;
	/** What the answer must contain. */
	expects: RegExp;
}

export interface SoakPlan {
	minutes: number;
	warmUpMs: number;
	intervalMs: number;
	concurrency: number;
	seed: number;
}
