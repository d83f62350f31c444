import type { AgentThought, DifyFile, HumanForm, RunError, RunHints, RunResult, WorkflowNode } from '../types';

/**
 * Everything known so far. The ids may be read at any time, for instance to stop the run; the rest belongs to this
 * folder.
 */
export interface RunState extends Omit<RunResult, 'status' | 'audio' | 'error' | 'warnings'> {
	readonly hints: Readonly<RunHints>;
	/** By kind and execution id, so that a loop of thousands of passes is not searched again and again. */
	nodeIndex: Map<string, WorkflowNode>;
	/** Files by each of their names, thoughts and entries of `agent_log` by ID: there may be thousands. */
	fileIndex: Map<string, DifyFile>;
	thoughtIndex: Map<string, AgentThought>;
	logIndex: Map<string, Record<string, unknown>>;
	forms: HumanForm[];
	streamError?: RunError;
	audioPieces: Buffer[];
	audioEnded: boolean;
	/** Text came as `agent_message`, so that a `message` is the closing full answer of a New Agent. */
	sawAgentMessage: boolean;
	sawMessage: boolean;
	messageEnded: boolean;
	/**
	 * `workflow_finished` came; `alone` when no `message_end` belongs to it (workflow apps, replays of finished runs).
	 */
	workflowEnd?: { status: string; alone: boolean };
	/** Output moderation put its text in place of the answer. */
	moderated: boolean;
	/** The caller wants no more of the run: what ends it from now on is its own doing. */
	abandoned?: boolean;
	/** Numbers that stand in the events as texts, since JavaScript cannot hold them. */
	inexact: Set<string>;
	/** Payloads that were no JSON object. */
	badEvents: number;
	/** The outcome stands; what follows, in the same packet or not, must not change it. */
	closed: boolean;
}

/** Starts the reduction of one run. */
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
		audioPieces: [],
		audioEnded: false,
		sawAgentMessage: false,
		sawMessage: false,
		messageEnded: false,
		moderated: false,
		inexact: new Set(),
		badEvents: 0,
		closed: false,
	};
}
