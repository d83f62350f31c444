import type { DifyAppMode } from '../../../lib/dify/types';

/** Token counts are integers, prices are decimal strings. */
export interface DifyUsage {
	prompt_tokens?: number;
	completion_tokens?: number;
	total_tokens?: number;
	[field: string]: unknown;
}

export type Json = Record<string, unknown>;

export interface NodeStep {
	/** Id on the canvas. */
	id: string;
	/** ID of this execution; default: generated. */
	executionId?: string;
	type?: string;
	title?: string;
	status?: 'succeeded' | 'failed' | 'exception';
	error?: string;
	outputs?: unknown;
	elapsed?: number;
	iterationId?: string;
	loopId?: string;
	files?: Json[];
}

export interface ThoughtRound {
	chunks: string[];
	tool?: { name: string; label?: Json; input: string; observation: string };
	/** Files that the tool made. */
	files?: Array<{ id?: string; type: string; url: string }>;
}

export interface FormStep {
	formId?: string;
	nodeId: string;
	nodeTitle: string;
	content: string;
	inputs?: Json[];
	actions: Array<{ id: string; title: string }>;
	/** Null: delivered by email. Default: generated. */
	token?: string | null;
	defaults?: Json;
}

/** One action of the model or workflow; the simulator turns it into the events of its version. */
export type Step =
	| { text: string }
	| { replace: string }
	| { file: { id?: string; type: string; url: string } }
	| { node: NodeStep }
	| { nodeStart: NodeStep }
	| { nodeEnd: NodeStep }
	| { round: ThoughtRound }
	/** Any other event: its name, and its own fields after the envelope. */
	| { emit: string; fields: Json }
	| { pause: FormStep[] }
	| { error: { code?: string; status: number; message: string | null } }
	/** Milliseconds, or until the promise settles. */
	| { wait: number | Promise<unknown> }
	/** A line that is sent unchanged, e.g. broken JSON. */
	| { raw: string };

export interface Script {
	steps: Step[];
	usage?: DifyUsage;
	resources?: Json[];
	/** Outputs in `workflow_finished`. Default: the text as `answer` (chatflow) or `text` (workflow). */
	outputs?: Json;
	/** The run fails with this text after the steps. */
	fail?: string;
	/** Dify itself stops the run with this text after the steps. */
	stopped?: string;
	/** Nodes that failed and were handled: the run is `partial-succeeded`. */
	exceptions?: number;
	/** Files of the end events. */
	files?: Json[];
	/** Seconds. */
	elapsed?: number;
	totalTokens?: number;
	totalSteps?: number;
	/** Refused before the run starts. */
	refuse?: { status: number; code: string; message: string };
}

/** Argument of a reply function. */
export interface Turn {
	query: string;
	inputs: Json;
	/** 1 for the first turn of a conversation. */
	turn: number;
	conversationId: string;
}

export type Reply = string | string[] | Script;

export interface FormField {
	kind:
		| 'text-input'
		| 'paragraph'
		| 'select'
		| 'number'
		| 'checkbox'
		| 'file'
		| 'file-list'
		| 'json_object'
		| 'external_data_tool';
	variable: string;
	label?: string;
	required?: boolean;
	default?: unknown;
	options?: string[];
	allowedTypes?: string[];
}

export interface AppSpec {
	mode: DifyAppMode;
	key: string;
	name?: string;
	/** Whether the app of the key exists. */
	exists?: boolean;
	status?: 'normal' | 'abnormal';
	apiEnabled?: boolean;
	workspace?: 'archived' | 'missing';
	published?: boolean;
	/** Whether a model is configured (chatbots, agents, text generators). */
	configured?: boolean;
	form?: FormField[];
	fileUpload?: {
		enabled: boolean;
		types?: string[];
		number?: number;
		/** Extensions of custom files. */
		extensions?: string[];
		/** Default: uploads and URLs. */
		methods?: string[];
	};
	suggestedQuestions?: string[];
	speechToText?: boolean;
	textToSpeech?: boolean;
	voice?: string;
	/** Audio of the speech provider. Default: bytes that contain the text. */
	speech?: Uint8Array;
	/** Its type in the response. Default: `audio/mpeg`, as older versions call everything. */
	speechType?: string;
	/** Transcript of the provider. Default: a text with the number of bytes. */
	heard?: string;
	/** Ids of published versions besides the newest. */
	versions?: string[];
	/** Conversation variables of a chatflow. */
	variables?: Array<{ name: string; valueType: string; value: unknown }>;
	reply?: (turn: Turn) => Reply;
}

/** Transport of a stream, including faults. */
export interface StreamKnobs {
	/** Milliseconds between events. */
	delayMs?: number;
	/** Awaited before each event, instead of `delayMs`. */
	beforeEvent?: (run: SimRun) => Promise<unknown>;
	/** Milliseconds between keep-alive pings; Dify's are 10 s apart. */
	pingEveryMs?: number;
	/** Breaks the stream after so many events. */
	cut?: { events: number; how: 'eof' | 'reset' | 'silence' };
}

/** One item of a stream, before serialization. */
export type Item =
	| { kind: 'event'; event: Json }
	| { kind: 'ping' }
	| { kind: 'raw'; raw: string }
	| { kind: 'wait'; for: number | Promise<unknown> };

/** A fault of Dify, or of a proxy before it, for any request. */
export interface Fault {
	method?: string;
	/** Path below the base URL, as a prefix or a pattern. Default: every path. */
	path?: string | RegExp;
	/** How many requests it hits; default 1. */
	times?: number;
	status?: number;
	body?: string;
	contentType?: string;
	headers?: Record<string, string>;
	/** Milliseconds before it happens. */
	delayMs?: number;
	/** Delays it until the promise settles. */
	after?: Promise<unknown>;
	/** Instead of an answer. `late`: the usual answer, delayed. */
	how?: 'reset' | 'silence' | 'late';
}

export interface SimRequest {
	method: string;
	/** Path and query. */
	url: string;
	path: string;
	query: URLSearchParams;
	headers: Record<string, string | string[] | undefined>;
	/** Body text of requests that are not uploads. */
	body: string;
	json?: unknown;
	upload?: Upload;
	status?: number;
}

export interface UploadPart {
	name: string;
	filename?: string;
	mimeType?: string;
	size: number;
	content: Uint8Array;
}

export interface Upload {
	fields: Record<string, string>;
	parts: UploadPart[];
}

export interface SimRun {
	taskId: string;
	workflowRunId?: string;
	workflowId: string;
	app: SimApp;
	user: string;
	conversationId?: string;
	messageId?: string;
	query: string;
	inputs: Json;
	files: Json[];
	responseMode: string;
	status: 'running' | 'succeeded' | 'partial-succeeded' | 'failed' | 'stopped' | 'paused';
	answer: string;
	outputs: Json;
	error?: string;
	/** All events so far, including unread ones. */
	events: Json[];
	/** The client disconnected before the end of the stream. */
	clientLeft: boolean;
	startedAt: number;
	finishedAt?: number;
}

export interface StopCall {
	taskId: string;
	user: string;
	mode: DifyAppMode;
	/** Whether it reached a running run. */
	hit: boolean;
}

export interface EndUser {
	id: string;
	sessionId: string;
}

export interface SimMessage {
	id: string;
	conversationId: string;
	userId: string;
	inputs: Json;
	query: string;
	answer: string;
	status: 'normal' | 'error' | 'paused';
	error: string | null;
	createdAt: number;
	files: Json[];
	thoughts: Json[];
	resources: Json[];
}

export interface SimConversation {
	id: string;
	userId: string;
	name: string;
	inputs: Json;
	createdAt: number;
	updatedAt: number;
	variables: SimVariable[];
}

export interface SimVariable {
	id: string;
	name: string;
	valueType: string;
	value: unknown;
	createdAt: number;
	updatedAt: number;
}

export interface SimFeedback {
	id: string;
	conversationId: string;
	messageId: string;
	rating: 'like' | 'dislike';
	content: string | null;
	source: 'user' | 'admin';
	userId: string | null;
	createdAt: number;
	updatedAt: number;
}

export interface SimFile {
	id: string;
	name: string;
	size: number;
	extension: string;
	mimeType: string;
	/** Id of the end user. */
	createdBy: string;
	createdAt: number;
	content: Uint8Array;
	/** Apps that have used it in a message. */
	attachedTo: Set<string>;
}

export interface SimAnnotation {
	id: string;
	question: string;
	answer: string;
	hit_count: number;
	/** Seconds. */
	created_at: number;
}

export interface SimApp extends AppSpec {
	id: string;
	name: string;
	workflowId: string;
	endUsers: Map<string, EndUser>;
	conversations: Map<string, SimConversation>;
	messages: Map<string, SimMessage>;
	feedbacks: SimFeedback[];
	annotations: SimAnnotation[];
}
