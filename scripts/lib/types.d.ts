/** Types that the scripts and the end-to-end tests share. */

export interface Progress {
	/** Reports the progress of the step. */
	(state: string): void;
	/** Adds a note to the last line of the step. */
	note(text: string): void;
}

export interface Log {
	line(text?: string): void;
	step<T>(name: string, work: (progress: Progress) => Promise<T> | T): Promise<T>;
}

/** The results of a test file. */
export interface FileReport {
	/** Its path. */
	name: string;
	/** Milliseconds. */
	startTime: number;
	/** Milliseconds. */
	endTime: number;
	status: 'passed' | 'failed';
	/** Why it failed, for all of its tests. */
	message: string;
	assertionResults: Array<{ fullName: string; status: string; failureMessages: string[] }>;
}

export interface SpawnOptions {
	cwd?: string;
	env?: Record<string, string | undefined>;
	/** User ID to run as; needs root. */
	uid?: number;
	gid?: number;
}

export interface RunOptions extends SpawnOptions {
	/** Called with every line of both streams, including colour codes. */
	onLine?: (line: string) => void;
	/** Whether a non-zero exit code throws (default `true`). */
	check?: boolean;
}

export interface RunResult {
	code: number;
	stdout: string;
	/** Both streams, in order of arrival. */
	output: string;
}

export interface ServiceOptions extends SpawnOptions {
	/** File that every line is written to as well. */
	logFile?: string;
	onLine?: (line: string) => void;
}

export interface Service {
	readonly name: string;
	readonly pid: number;
	/** The latest output, both streams. */
	readonly lines: readonly string[];
	readonly exited: Promise<number>;
	readonly running: boolean;
	readonly endReason: string;
	kill(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
	/** Ends the process and its descendants, and waits for that. */
	stop(graceMs?: number): Promise<void>;
}

export type JsonObject = Record<string, unknown>;

export interface N8nInstall {
	version: string;
	/** Holds n8n's `node_modules`. */
	folder: string;
	bin: string;
}

export interface N8nEnvironment {
	/** n8n keeps its data in `.n8n` below it. */
	userFolder: string;
	port?: number;
	/** Port of the task broker, which every n8n process opens. */
	brokerPort?: number;
	customExtensions?: string[];
	env?: Record<string, string | undefined>;
}

export interface StartN8nOptions extends N8nEnvironment {
	logFile?: string;
	onLine?: (line: string) => void;
}

export interface Login {
	email: string;
	password: string;
	firstName?: string;
	lastName?: string;
}

export interface Credential {
	id?: string;
	name: string;
	type: string;
	data: JsonObject;
}

export interface WorkflowNode {
	id: string;
	name: string;
	type: string;
	typeVersion: number;
	position: [number, number];
	parameters: JsonObject;
	credentials?: Record<string, { id: string; name: string }>;
	webhookId?: string;
	disabled?: boolean;
}

export interface Workflow {
	id?: string;
	name: string;
	nodes: WorkflowNode[];
	connections: Record<
		string,
		Record<string, Array<Array<{ node: string; type: string; index: number }> | null>>
	>;
	settings?: JsonObject;
	pinData?: JsonObject;
	[key: string]: unknown;
}

export interface NodeRun {
	startTime: number;
	executionTime: number;
	executionStatus: string;
	error?: JsonObject & { message: string; description?: string };
	data?: Record<string, Array<Array<{ json: JsonObject; [key: string]: unknown }> | null>>;
	inputOverride?: Record<string, Array<Array<{ json: JsonObject }> | null>>;
	[key: string]: unknown;
}

export interface ExecutionData {
	resultData: {
		runData: Record<string, NodeRun[]>;
		lastNodeExecuted?: string;
		error?: JsonObject & { message: string; description?: string };
	};
	[key: string]: unknown;
}

export interface ExecutionSummary {
	id: string;
	workflowId: string;
	status: string;
	mode: string;
	startedAt: string;
	stoppedAt?: string;
	[key: string]: unknown;
}

export interface Execution extends ExecutionSummary {
	data: ExecutionData;
}

export interface CliExecution {
	success: boolean;
	error?: JsonObject & { message: string; description?: string };
	run: { data: ExecutionData; status: string; [key: string]: unknown };
}

/** One line of a streamed chat answer, with the time it arrived. */
export interface ChatLine {
	/** Milliseconds since the request was sent. */
	atMs: number;
	type: 'begin' | 'item' | 'end' | 'error';
	content?: string;
	[key: string]: unknown;
}

export interface WebhookOptions {
	headers?: Record<string, string>;
	method?: string;
	body?: unknown;
	signal?: AbortSignal;
}

export interface N8nClient {
	readonly url: string;
	/** A call of the editor's REST interface; yields the `data` of the answer, throws on every status but 2xx. */
	request<T>(method: string, path: string, body?: unknown): Promise<T>;
	/** Cookie of the login. */
	session(): string;
	setupOwner(login: Login): Promise<void>;
	login(login: Login): Promise<void>;
	createCredential(credential: Credential): Promise<{ id: string; name: string }>;
	createWorkflow(workflow: Workflow): Promise<Workflow & { id: string; versionId: string }>;
	/** Publishes the workflow's current version. */
	activate(id: string): Promise<void>;
	/** Runs a saved workflow like the editor's button; returns the execution's ID without waiting. */
	runWorkflow(workflow: Workflow & { id: string }, triggerNode: string): Promise<string>;
	listExecutions(options?: {
		workflowId?: string;
		status?: string[];
		limit?: number;
	}): Promise<ExecutionSummary[]>;
	getExecution(id: string): Promise<Execution>;
	/**
	 * Polls until the execution has ended, without its data, which n8n may need seconds to read.
	 *
	 * @returns its status
	 */
	waitForEnd(id: string, timeoutMs?: number, pauseMs?: number): Promise<string>;
	/** Polls until the execution has ended, and reads it. */
	waitForExecution(id: string, timeoutMs?: number, pauseMs?: number): Promise<Execution>;
	stopExecution(id: string): Promise<void>;
	/** Calls a production webhook; waits until it is registered. */
	webhook(path: string, options?: WebhookOptions): Promise<Response>;
	/** Sends a message to a public Chat Trigger that streams; yields its lines as they arrive. */
	chat(
		webhookId: string,
		chatInput: string,
		options?: { sessionId?: string; signal?: AbortSignal },
	): AsyncGenerator<ChatLine>;
	/** All node types that n8n has loaded. */
	nodeTypes(): Promise<
		Array<{ name: string; displayName: string; version: number | number[]; [key: string]: unknown }>
	>;
}

export interface N8nServer extends N8nClient {
	readonly port: number;
	readonly userFolder: string;
	readonly service: Service;
	stop(): Promise<void>;
}

export interface LlamaServerOptions {
	/** A GGUF file; none for a router, which gets its models in `args`. */
	model?: string;
	port?: number;
	alias?: string;
	/** Tokens of context, shared by the slots. */
	contextSize?: number;
	parallel?: number;
	threads?: number;
	apiKey?: string;
	args?: string[];
	env?: Record<string, string | undefined>;
	logFile?: string;
	/** `false`: do not wait until the model is loaded. */
	wait?: boolean;
}

export interface LlamaSlot {
	id: number;
	is_processing: boolean;
	[key: string]: unknown;
}

export interface LlamaServer {
	/** Without `/v1`. */
	readonly url: string;
	readonly port: number;
	/** Name of the model as the server lists it. */
	readonly model: string;
	readonly service: Service;
	/** Waits until the model is loaded. */
	ready(timeoutMs?: number): Promise<void>;
	props(): Promise<JsonObject>;
	slots(): Promise<LlamaSlot[]>;
	stop(): Promise<void>;
}

/** Where the playground's n8n finds a model. */
export interface ModelServer {
	baseUrl: string;
	apiKey?: string;
	model: string;
	models: string[];
	description: string;
	/** Only if it was started here. */
	service?: Service;
	stop(): Promise<void>;
}

/** Counts of a test run. A failure is a line with file, test and message. */
export interface Tally {
	passed: number;
	failures: string[];
	skipped: string[];
}

/** The n8n that `npm run test:e2e` starts for all its suites. */
export interface SharedN8n {
	url: string;
	/** Cookie of the owner's login. */
	session: string;
	/** Its data; the packed package is installed in it in both ways. */
	userFolder: string;
	logFile: string;
	/** Bytes of the packed package. */
	packedSize: number;
	/** The only folder that its workflows may read files from. */
	readable: string;
}

/** Passed from `npm run test:e2e` and `npm run test:full` to the tests, in the file `LOCAL_LLAMA_E2E`. */
export interface E2eParts {
	n8n: N8nInstall;
	/** Folder of the built package, outside the clone: for `customExtensions`. */
	nodes: string;
	/** The program. Only the compiled one has a router. */
	llamaServer: string;
	/** Models of random weights: one that answers with noise, one for vectors and rankings. */
	noise: string;
	noiseBert: string;
	smolLm2: string;
	redis: string;
	chromium: string;
	chromiumArgs: string[];
	/** Folder for files of the tests; server logs stay there when a test fails. */
	work: string;
	/** Only in `npm run test:e2e`. */
	shared?: SharedN8n;
}

/** A part, or why it is missing. */
export interface OptionalPart {
	file?: string;
	problem?: string;
}

/** Passed from `npm run test:servers` to the tests, in the file `LOCAL_LLAMA_SERVERS`. */
export interface RealServerParts {
	llamaServer: OptionalPart;
	smolLm2: OptionalPart;
	noiseBert: string;
	/** Folder for files of the tests; server logs stay there when a test fails. */
	work: string;
}
