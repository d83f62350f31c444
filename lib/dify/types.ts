/** What a run receives and returns. */
import type { JsonRecord } from '../values/records';

/** App types, as in Dify's `GET /info`. `agent` is the New Agent of Dify 1.14 and later. */
export type DifyAppMode =
	| 'chat'
	| 'agent-chat'
	| 'agent'
	| 'advanced-chat'
	| 'completion'
	| 'workflow';

/**
 * One change of the text, for a live display. All changes in order give the text of the result, apart from blanks and
 * signatures of file URLs. `replace`: Dify took the text back, for the reason. `restate`: the complete text, as
 * Dify says it at the end, differs from the parts; a display that cannot remove text adds it as a paragraph.
 */
export type TextDelta =
	| { type: 'append'; text: string }
	| { type: 'replace'; text: string; reason: string }
	| { type: 'restate'; text: string };

export interface WorkflowNode extends Pick<
	RunSummary,
	'error' | 'outputs' | 'elapsedTime' | 'createdAt' | 'finishedAt'
> {
	/** ID of this execution; a node inside a loop has one entry per pass. */
	id: string;
	/** ID on the canvas. */
	nodeId?: string;
	/** Dify's type of the node, also `iteration` and `loop`. */
	type?: string;
	title?: string;
	index?: number;
	/**
	 * `running` until it ends, then Dify's status: `succeeded`, `failed`, `exception` (failed, but handled), `retry`.
	 */
	status: string;
	inputs?: unknown;
	processData?: unknown;
	executionMetadata?: unknown;
	retries?: number;
	/** Started passes of an iteration or loop. */
	passes?: number;
	iterationId?: string;
	loopId?: string;
	files?: JsonRecord[];
}

/** A run without its nodes. */
export interface RunSummary {
	runId?: string;
	workflowId?: string;
	/** `running` until Dify reports another status. */
	status: string;
	outputs?: unknown;
	error?: string;
	/** Seconds. */
	elapsedTime?: number;
	totalTokens?: number;
	totalSteps?: number;
	/** Unix seconds. */
	createdAt?: number;
	finishedAt?: number;
	exceptionsCount?: number;
}

export interface WorkflowRun extends RunSummary {
	/** In the order of their first events. */
	nodes: WorkflowNode[];
}

/** A form of a paused run. */
export interface HumanForm {
	formId?: string;
	nodeId?: string;
	nodeTitle?: string;
	/** Markdown, with names of fields in brackets where Dify's page shows the fields. */
	formContent?: string;
	inputs: unknown[];
	actions: unknown[];
	displayInUi?: boolean;
	/** Null if the form is delivered by email: it cannot be submitted through the API. */
	formToken: string | null;
	resolvedDefaultValues?: unknown;
	/** Unix seconds. */
	expirationTime?: number;
	/** Set if Dify no longer accepts a submission, because the time is over. */
	isExpired?: true;
}

/** A form that a person or a node has submitted. */
export interface SubmittedForm {
	/** Title of the node that asked for it. */
	nodeTitle?: string;
	/** ID of the button. */
	actionId: string;
	/** Values of the fields by name, if Dify sent them: texts, and Dify's file objects. */
	submittedData?: JsonRecord;
}

/** A run that waits for human input. */
interface RunPause {
	workflowRunId?: string;
	pausedNodes: unknown[];
	reasons: JsonRecord[];
	/** Pending forms. */
	forms: HumanForm[];
}

/** Why a run failed. */
export interface RunFailure {
	/**
	 * `errorEvent`: Dify's `error` event. `runFailed`: the workflow run ended as failed. `rejected`: Dify reported a
	 * rejection as the end of a run that never started.
	 */
	cause: 'errorEvent' | 'runFailed' | 'rejected';
	/** Dify's code; newer workers send none. */
	code?: string;
	/** The status in the event; the HTTP status was 200. */
	status?: number;
	/** Never empty. */
	message: string;
}

export type RunStatus = 'succeeded' | 'partial-succeeded' | 'stopped' | 'paused' | 'failed';

/** The end of a run. */
export interface RunResult {
	status: RunStatus;
	/** The full text, or the text received before an error. */
	text: string;
	conversationId?: string;
	messageId?: string;
	taskId?: string;
	workflowRunId?: string;
	/** Unix seconds. */
	createdAt?: number;
	/**
	 * Token counts are integers, prices are decimal strings such as `"0.0000010"` and must stay strings. Missing if Dify
	 * counted no tokens although a model responded: stopped runs and many New Agent runs have zeros.
	 */
	usage?: JsonRecord;
	/** `message_end.metadata` as received, with `annotation_reply`. */
	metadata?: JsonRecord;
	/** As Dify sends them, keys unchanged: the set of keys grows with every version. */
	retrieverResources: JsonRecord[];
	/** As Dify sends them: `id`, `type`, `belongs_to`, `filename`, `mime_type`, `size`, and `url`, which is signed and expires. */
	files: JsonRecord[];
	/** Steps of an agent. Dify sends the same `id` several times, each time with more fields; this is the union. */
	thoughts: JsonRecord[];
	/** Text of `reasoning_chunk` events; never part of `text`. */
	reasoning: string;
	workflow?: WorkflowRun;
	pause?: RunPause;
	/** Buttons of submitted forms. If submitted twice, Dify accepts both and uses one. */
	submittedForms: SubmittedForm[];
	/** Set if and only if the status is `failed`. */
	error?: RunFailure;
	/** Warnings for the user. */
	warnings: string[];
}

/** An event with fields of any type: they are not checked yet. */
type EventWith<Name extends string, Field extends string> = { event: Name } & {
	[Key in Field]?: unknown;
};

/** The events that change a run, discriminated by `event` (docs/protocols/dify.md 3.3). */
export type DifyEvent =
	| EventWith<'message' | 'agent_message', 'answer'>
	| EventWith<'message_file', 'answer' | 'id' | 'type' | 'belongs_to' | 'url'>
	| EventWith<'message_replace', 'answer' | 'reason'>
	| EventWith<'message_end', 'id' | 'metadata' | 'files'>
	| EventWith<'agent_thought', 'id'>
	| EventWith<'error', 'code' | 'status' | 'message'>
	| EventWith<'warning', 'code' | 'message' | 'warning' | 'data'>
	| EventWith<'workflow_finished', 'data' | 'conversation_id' | 'message_id'>
	| EventWith<
			| 'text_chunk'
			| 'reasoning_chunk'
			| `workflow_${'started' | 'paused'}`
			| `node_${'started' | 'finished' | 'retry'}`
			| `${'iteration' | 'loop'}_${'started' | 'next' | 'completed'}`
			| `human_input_${'required' | 'form_filled' | 'form_timeout'}`,
			'data'
	  >;
