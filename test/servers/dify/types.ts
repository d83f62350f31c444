import type { DifyAppMode, DifyUsage } from '../../../lib/dify/types';

/** The behaviours of docs/protocols/dify.md 7: 1.12.1, 1.14.2, 1.16.0, and main of 2026 with what the docs say. */
export type SimVersion = '1.12' | '1.14' | '1.16' | '2026';
export const SIM_VERSIONS: readonly SimVersion[] = ['1.12', '1.14', '1.16', '2026'];

export type Json = Record<string, unknown>;

export interface NodeStep {
	/** Id on the canvas. */
	id: string;
	/** Of this execution; absent: made up. */
	executionId?: string;
	type?: string;
	title?: string;
	status?: 'succeeded' | 'failed' | 'exception';
	error?: string;
	inputs?: unknown;
	outputs?: unknown;
	/** Of the start of a tool. */
	extras?: Json;
	processData?: unknown;
	elapsed?: number;
	executionMetadata?: unknown;
	iterationId?: string;
	loopId?: string;
	files?: Json[];
}

export interface ThoughtRound {
	chunks: string[];
	/**
	 * Dify reads the thought from its database when the event goes out: a fast round shows everything in its first event
	 * already, a slow one an empty thought. Default: empty.
	 */
	early?: boolean;
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
	actions: Array<{ id: string; title: string; button_style?: string }>;
	/** Null: delivered by e-mail. Absent: made up. */
	token?: string | null;
	/** Default: whenever there is a token. */
	inWebApp?: boolean;
	defaults?: Json;
	/** Seconds from now; negative for one that has expired. */
	expiresIn?: number;
}

/** What the model or workflow behind an app does; the simulator turns it into the events of its version. */
export type Step =
	| { text: string; from?: string[] }
	| { replace: string; reason?: string }
	| { file: { id?: string; type: string; url: string; belongsTo?: string } }
	| { node: NodeStep }
	| { nodeStart: NodeStep }
	| { nodeEnd: NodeStep }
	| { round: ThoughtRound }
	/** Any other event: its name, and its own fields after the envelope. */
	| { emit: string; fields: Json }
	| { tts: string }
	| { pause: FormStep[] }
	| { error: { code?: string; status: number; message: string | null } }
	/** Milliseconds, or until the promise settles. */
	| { wait: number | Promise<unknown> }
	| { ping: true }
	/** A line as it is, for instance broken JSON. */
	| { raw: string };

export interface Script {
	steps: Step[];
	usage?: DifyUsage;
	resources?: Json[];
	annotationReply?: unknown;
	/** Of `workflow_finished`. Default: the text as `answer` (chatflow) or `text` (workflow). */
	outputs?: Json;
	/** The run fails with this text after the steps. */
	fail?: string;
	/** Dify itself stops the run with this text after the steps. */
	stopped?: string;
	/** Nodes that failed and were handled: the run is `partial-succeeded`. */
	exceptions?: number;
	/** Files of the closing events. */
	files?: Json[];
	/** Answered by input moderation or an annotation: no workflow events at all. */
	moderated?: boolean | 'annotation';
	/** Speech that comes after the answer is complete; an empty list sends only its end. */
	trailingAudio?: string[];
	/** Seconds. */
	elapsed?: number;
	totalTokens?: number;
	totalSteps?: number;
	/** A stop loses the race against the end of the run (1.12 chatflow). */
	stopRace?: boolean;
	/** Refused before the run starts. */
	refuse?: { status: number; code: string; message: string };
}

/** What a reply function is told. */
export interface Turn {
	query: string;
	inputs: Json;
	files: Json[];
	user: string;
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
	maxLength?: number;
	options?: string[];
	allowedTypes?: string[];
}

export interface AppSpec {
	mode: DifyAppMode;
	key: string;
	name?: string;
	description?: string;
	id?: string;
	/** The row behind the key. */
	exists?: boolean;
	status?: 'normal' | 'abnormal';
	apiEnabled?: boolean;
	workspace?: 'active' | 'archived' | 'missing' | 'ownerless';
	published?: boolean;
	/** A model is configured (easy apps). */
	configured?: boolean;
	/** `chat` with its agent switch on. */
	agentSwitch?: boolean;
	form?: FormField[];
	fileUpload?: { enabled: boolean; types?: string[]; number?: number; extensions?: string[] };
	openingStatement?: string | null;
	/** Offered before the first turn. */
	firstQuestions?: string[];
	suggestedQuestions?: string[] | null;
	speechToText?: boolean;
	textToSpeech?: boolean;
	voice?: string;
	language?: string;
	/** What the provider of speech sends. Default: bytes that show what was spoken. */
	speech?: Uint8Array;
	/** What the providers of speech and transcription answer instead. */
	audioFailure?: { status: number; code: string; message: string };
	/** What the provider of transcription hears. Default: a text that shows how much was sent. */
	heard?: string;
	/** Default: one built-in tool for agents. */
	toolIcons?: Record<string, unknown>;
	site?: boolean;
	/** Requests at once; 0 for no limit. */
	maxActive?: number;
	/** Runs before the quota is used up. */
	quota?: number;
	sandboxPlan?: boolean;
	/** Ids of published versions besides the newest. */
	versions?: string[];
	/** How often a job of the annotation reply is looked at before it ends, and how it fails. */
	annotationJob?: { looks?: number; error?: string };
	/** Id of the draft, which the API does not run. */
	draft?: string;
	/** E-mail addresses of people who may run the workflow in Dify itself. */
	accounts?: string[];
	/** Conversation variables of a chatflow. */
	variables?: Array<{ name: string; valueType: string; value: unknown; description?: string }>;
	reply?: (turn: Turn) => Reply;
}

/** How the bytes of a stream travel. */
export interface StreamKnobs {
	/** Bytes of each write; a list is used round and round. */
	bytesPerWrite?: number | number[];
	/** Byte offsets in the stream at which a write ends. */
	splitAt?: number[];
	/** A write ends inside every character of more than one byte. */
	splitInsideUtf8?: boolean;
	/** Events of each write; 2.5 is two events and half of the third. */
	eventsPerWrite?: number;
	crlf?: boolean;
	/** The last event has no blank line after it. */
	omitFinalBlank?: boolean;
	/** Milliseconds before the first byte of the body, and between events. */
	firstDelayMs?: number;
	delayMs?: number;
	/** Milliseconds between keep-alive pings; Dify's are 10 s apart. */
	pingEveryMs?: number;
	/** A ping in one write with each event that follows it. */
	pingBeforeEach?: boolean;
	/** The stream breaks after so many events or bytes. */
	cut?: { events?: number; bytes?: number; how: 'eof' | 'reset' | 'silence' };
	/** The socket stays open, with pings, after the terminal event; newer versions do so by themselves after an error. */
	holdOpen?: boolean;
	/** Milliseconds after which a stream without events is closed; 300,000 in Dify. */
	idleLimitMs?: number;
	/** Changes the order of the whole stream, or drops parts of it. */
	reorder?: (items: Item[]) => Item[];
	/** Answers as blocking although a stream was asked for. */
	blockingInstead?: boolean;
	/** An attached stream hears only so many events after its snapshot, then pings alone. 1.16: 2, once a reader left. */
	deafAfter?: number;
}

/** One piece of a stream before it becomes bytes. */
export type Item =
	| { kind: 'event'; event: Json; spaced?: boolean }
	| { kind: 'ping' }
	| { kind: 'raw'; raw: string }
	| { kind: 'wait'; for: number | Promise<unknown> };

/** Something in front of Dify, or Dify itself, that fails whatever was asked. */
export interface Fault {
	method?: string;
	/** The path below the base URL, as a beginning or a pattern. Default: every path. */
	path?: string | RegExp;
	/** How many requests it hits; default 1. */
	times?: number;
	status?: number;
	body?: string;
	contentType?: string;
	headers?: Record<string, string>;
	/** Milliseconds before it happens. */
	delayMs?: number;
	/** The same: until then. */
	after?: Promise<unknown>;
	/** Instead of an answer. `late`: it is the usual answer, which only comes late. */
	how?: 'reset' | 'silence' | 'late';
}

export interface SimRequest {
	method: string;
	/** As on the request line, with query. */
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
	sha256: string;
	/** The beginning, at most as long as `keepBytes` of the simulator. */
	content: Uint8Array;
}

export interface Upload {
	fields: Record<string, string>;
	parts: UploadPart[];
}

export type RunPhase = 'running' | 'succeeded' | 'partial-succeeded' | 'failed' | 'stopped' | 'paused';

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
	responseMode: 'blocking' | 'streaming';
	status: RunPhase;
	answer: string;
	outputs: Json;
	error?: string;
	/** All events so far, also those that nobody read. */
	events: Json[];
	/** The client went away before the stream was over. */
	clientLeft: boolean;
	startedAt: number;
	finishedAt?: number;
}

export interface StopCall {
	taskId: string;
	user: string;
	mode: DifyAppMode;
	/** Whether it reached a run that was going on. */
	hit: boolean;
}

export interface EndUser {
	id: string;
	sessionId: string;
}

export interface SimMessage {
	id: string;
	conversationId: string;
	parentId: string | null;
	userId: string;
	source: 'api' | 'webapp';
	inputs: Json;
	query: string;
	answer: string;
	status: 'normal' | 'error' | 'paused' | 'stopped';
	error: string | null;
	createdAt: number;
	files: Json[];
	thoughts: Json[];
	resources: Json[];
	/** Forms of human input (1.14). */
	extra?: Json[];
}

export interface SimConversation {
	id: string;
	userId: string;
	source: 'api' | 'webapp';
	name: string;
	inputs: Json;
	status: 'normal' | 'completed';
	introduction: string;
	createdAt: number;
	updatedAt: number;
	variables: SimVariable[];
}

export interface SimVariable {
	id: string;
	name: string;
	valueType: string;
	value: unknown;
	description: string;
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
	sha256: string;
	/** Apps that used it in a message. */
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

/** As `/parameters` shows it; only `enabled` where it is off. */
export type AnnotationReply = Json & { enabled: boolean };

export interface SimApp extends AppSpec {
	id: string;
	name: string;
	workflowId: string;
	endUsers: Map<string, EndUser>;
	conversations: Map<string, SimConversation>;
	messages: Map<string, SimMessage>;
	feedbacks: SimFeedback[];
	/** Whether and how the app answers with its annotations, and the jobs that change it, by ID. */
	annotationReply: AnnotationReply;
	annotationJobs: Map<string, { action: string; next: AnnotationReply; looks: number; error?: string }>;
	annotations: SimAnnotation[];
	runCount: number;
}
