/** Shapes of `npm run bench -- soak`. */

/** What n8n's process holds while idle, after a garbage collection. */
export interface Sample {
	heapUsed: number;
	external: number;
	arrayBuffers: number;
	rss: number;
	/** What keeps the event loop alive, by kind. */
	resources: Record<string, number>;
	/** Open file handles by kind; empty where the system does not tell. */
	fileHandles: Record<string, number>;
	/** Listeners of the process, and of every open server and socket. */
	listeners: number;
	/** Listeners of every EventTarget, mostly abort signals. */
	abortListeners: number;
	abortSignals: number;
	/** Socket objects, open or not. */
	sockets: number;
	/** Pending timers, by callback and delay. */
	timers: Record<string, number>;
	/** Connection pools of the package. */
	pools: number;
	/** Entries of the maps and sets that the package's modules keep. */
	caches: Record<string, number>;
}

export interface TimedSample extends Sample {
	/** Milliseconds since the measured time began. */
	atMs: number;
	/** Runs that had ended by then, including the warm-up. */
	runs: number;
	/** How long it took until the load was at rest, and how long the measurement took. */
	restMs: number;
	measureMs: number;
}

/** One run of a workflow. */
export interface RunRecord {
	kind: string;
	/** Name of the fault, empty for none. */
	fault: string;
	/** Milliseconds since the measured time began. */
	atMs: number;
	ms: number;
	/** `left`, `stopped`: by the client. */
	outcome: 'answered' | 'failed' | 'left' | 'stopped' | 'hung';
	/** What the caller read when it failed. */
	said?: string;
	/** A model server was restarted meanwhile: the time does not count. */
	disturbed: boolean;
}

/** A kind of run. */
export interface Kind {
	name: string;
	/** How often it comes, relative to the others. */
	weight: number;
	/** Runs of this kind never overlap. */
	alone?: boolean;
	/** Which proxies cause the fault: any that it asks, or the first of several. */
	proxy: 'any' | 'flaky' | '';
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
	atOnce: number;
	faultShare: number;
	seed: number;
	control: boolean;
}

/** One row of the verdict. */
export interface Verdict {
	name: string;
	unit: string;
	first: number;
	last: number;
	/** Growth in per cent. */
	growth: number;
	judged: boolean;
	flat: boolean;
}
