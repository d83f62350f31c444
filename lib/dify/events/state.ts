import type {
	AgentThought,
	DifyFile,
	HumanForm,
	RunError,
	RunHints,
	RunResult,
	TextDelta,
	WorkflowNode,
} from '../types';

/**
 * Everything known of a run so far. The IDs may be read at any time, for instance to stop the run; the rest is private
 * to this folder.
 */
export interface RunState extends Omit<RunResult, 'status' | 'error' | 'warnings'> {
	readonly hints: Readonly<RunHints>;
	/** By kind and execution id, so that a loop of thousands of passes is not searched again and again. */
	nodeIndex: Map<string, WorkflowNode>;
	/** Files by each of their names, thoughts and entries of `agent_log` by ID: there may be thousands. */
	fileIndex: Map<string, DifyFile>;
	thoughtIndex: Map<string, AgentThought>;
	logIndex: Map<string, Record<string, unknown>>;
	forms: HumanForm[];
	streamError?: RunError;
	/** Text came as `agent_message`, so that each `message` is the full answer of a New Agent. */
	sawAgentMessage: boolean;
	messageEnded: boolean;
	/**
	 * `workflow_finished` came; `alone` when no `message_end` belongs to it (workflow apps, replays of finished runs).
	 */
	workflowEnd?: { status: string; alone: boolean };
	/**
	 * Events may have been missed, and with them pieces of the text: the run was attached to after its stream was lost, or
	 * while it ran, or its end stands in its record only.
	 */
	mayHaveGap: boolean;
	/** Changes of the text by the last event. */
	deltas: TextDelta[];
	/** Text that came after attaching: it is part of the answer once the whole is known. */
	tail: string;
	/** Nothing of the text is missing: its end came without a gap, or Dify sent the whole. */
	isTextWhole: boolean;
	/** Output moderation put its text in place of the answer. */
	moderated: boolean;
	/** The caller abandoned the run, so it causes the end from now on. */
	abandoned?: boolean;
	/** Number of events that were not JSON objects. */
	badEvents: number;
	/** The outcome is final: later events must not change it. */
	closed: boolean;
}

/** The initial state of a run. */
export function createRun(hints: RunHints = {}): RunState {
	return {
		hints: { ...hints },
		text: '',
		reasoning: '',
		retrieverResources: [],
		files: [],
		thoughts: [],
		nodeIndex: new Map(),
		fileIndex: new Map(),
		thoughtIndex: new Map(),
		logIndex: new Map(),
		forms: [],
		sawAgentMessage: false,
		messageEnded: false,
		mayHaveGap: false,
		deltas: [],
		tail: '',
		isTextWhole: false,
		moderated: false,
		badEvents: 0,
		closed: false,
	};
}

/** Notes that events may have been missed from here on. */
export function noteGap(state: RunState): void {
	state.mayHaveGap = true;
}

/** Forgets a pause, to see it once more. */
export function reopen(state: RunState): void {
	state.pause = undefined;
	state.closed = false;
}

/** Adds what came after attaching to the text, though something may be missing before it. */
export function joinTail(state: RunState): string {
	const { tail } = state;
	state.text += tail;
	state.tail = '';
	return tail;
}

/** All text that is known, perhaps with a gap. */
export function knownText({ text, tail }: Pick<RunState, 'text' | 'tail'>): string {
	return text + tail;
}
