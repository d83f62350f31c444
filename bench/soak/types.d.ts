/** Shapes of `npm run bench -- soak`. */

/** What n8n's process holds while nothing runs, after a garbage collection. */
export interface Sample {
	heapUsed: number;
	external: number;
	arrayBuffers: number;
	rss: number;
	/** What keeps the event loop alive, by kind. */
	resources: Record<string, number>;
	/** Open file handles by kind; empty where the system does not tell. */
	fileHandles: Record<string, number>;
	/** Of the process, and of every open server and socket. */
	listeners: number;
	/** Of every EventTarget, abort signals above all. */
	abortListeners: number;
	abortSignals: number;
	/** Objects, open or not. */
	sockets: number;
	/** Pending, by what they wait for. */
	timers: Record<string, number>;
	/** Connection pools of the package. */
	pools: number;
	/** Entries of the maps and sets that the package's modules keep. */
	caches: Record<string, number>;
}

export interface TimedSample extends Sample {
	/** Milliseconds since the measured time began. */
	atMs: number;
	/** Runs that had ended by then, since the beginning of the warm-up. */
	runs: number;
	/** How long the load rested before the measurement, and how long that took. */
	restMs: number;
	measureMs: number;
}

/** One run of a workflow. */
export interface RunRecord {
	kind: string;
	/** Empty: none. */
	fault: string;
	/** Milliseconds since the measured time began. */
	atMs: number;
	ms: number;
	/** `answered`, or what became of it. */
	outcome: 'answered' | 'failed' | 'left' | 'stopped' | 'hung';
	/** What the caller read where it failed. */
	said?: string;
	/** A model server was started again meanwhile: the time says nothing. */
	disturbed: boolean;
}

/** A kind of run. */
export interface Kind {
	name: string;
	/** How often it comes, against the others. */
	weight: number;
	/** One at a time. */
	alone?: boolean;
	/** Which servers go wrong: any that it asks, or the first of several. */
	door: 'any' | 'flaky' | '';
	/** What may go wrong with it. */
	faults: readonly string[];
	/** What goes wrong in each run. */
	always?: string;
	/** Streamed through the Chat Trigger, or answered as a whole by the Webhook. */
	way: 'chat' | 'webhook';
	/** What is said. */
	text: string;
	/** What has to be in the answer. */
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
