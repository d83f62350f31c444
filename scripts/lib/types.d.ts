/** Types that the scripts and the end-to-end tests share. */

export interface Progress {
	/** Reports the progress of the step. */
	(state: string): void;
	/** Adds a note to the last line of the step. */
	note(text: string): void;
}

export interface StepTiming {
	name: string;
	ms: number;
	note: string;
	ok: boolean;
}

export interface Log {
	line(text?: string): void;
	step<T>(name: string, work: (progress: Progress) => Promise<T> | T): Promise<T>;
	readonly timings: readonly StepTiming[];
	readonly terminal: boolean;
}

export interface SpawnOptions {
	cwd?: string;
	env?: Record<string, string | undefined>;
	stdin?: 'ignore' | 'inherit';
	/** User ID to run as; needs root. */
	uid?: number;
	gid?: number;
}

export interface RunOptions extends SpawnOptions {
	/** Called with every line of both streams, including colour codes. */
	onLine?: (line: string) => void;
	/** Whether a non-zero exit code throws (default `true`). */
	check?: boolean;
	timeoutMs?: number;
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

export type JsonValue =
	| string
	| number
	| boolean
	| null
	| JsonValue[]
	| { [key: string]: JsonValue };
export type JsonObject = Record<string, unknown>;

export interface N8nInstall {
	version: string;
	/** Holds n8n's `node_modules`. */
	folder: string;
	bin: string;
}

/** An npm package that contains a binary for another package's native module. */
export interface BinaryPackage {
	name: string;
	version: string;
	/** Hash of the package's archive. */
	integrity: string;
	/** Where the native module looks for its binary. */
	file: string;
}

export interface N8nEnvironment {
	/** n8n keeps its data in `.n8n` below it. */
	userFolder: string;
	port?: number;
	/** Port of the task broker, which every n8n process opens. */
	brokerPort?: number;
	/** Folders with custom nodes. */
	customExtensions?: string[];
	/** Further settings of n8n. */
	env?: Record<string, string | undefined>;
}

export interface StartN8nOptions extends N8nEnvironment {
	/** Concurrent executions of a worker. */
	concurrency?: number;
	logFile?: string;
	onLine?: (line: string) => void;
	timeoutMs?: number;
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

export interface WorkflowConnection {
	node: string;
	type: string;
	index: number;
}

export interface Workflow {
	id?: string;
	name: string;
	nodes: WorkflowNode[];
	connections: Record<string, Record<string, Array<WorkflowConnection[] | null>>>;
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
	/** n8n's whole output. */
	output: string;
}

/** One line of a streamed chat answer, with the time it arrived. */
export interface ChatLine {
	/** Milliseconds since the request was sent. */
	atMs: number;
	type: 'begin' | 'item' | 'end' | 'error';
	content?: string;
	metadata?: JsonObject;
	[key: string]: unknown;
}

export interface WebhookOptions {
	headers?: Record<string, string>;
	method?: string;
	body?: unknown;
	signal?: AbortSignal;
}

export interface N8nClient {
	/** Without a trailing slash. */
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
	/** Polls until the execution has ended. */
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
	readonly readyAfterMs: number;
	residentBytes(): number;
	stop(): Promise<void>;
}

export interface TinyModelOptions {
	/** Seed of the random weights. */
	seed?: number;
	/** Training context length in the model's metadata, in tokens (one per byte of text). */
	contextLength?: number;
	/** `true`: ChatML with tools and thinking; `false`: none; a string: that template. */
	chatTemplate?: boolean | string;
	/** Mean answer length in tokens; `Infinity`: ends only at a limit. */
	meanTokens?: number;
}

export interface ScriptedReply {
	/** Condition: role of the last message. */
	last?: 'user' | 'tool';
	/** Condition: the last message contains this text. */
	contains?: string;
	/** The model's answer. */
	reply: string;
}

export interface LlamaServerOptions {
	/** A GGUF file; none for a router, which gets its models in `args`. */
	model?: string;
	port?: number;
	alias?: string;
	/** Tokens of context, shared by the slots. */
	contextSize?: number;
	/** Number of slots. */
	parallel?: number;
	threads?: number;
	apiKey?: string;
	/** Further options of llama-server. */
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
	residentBytes(): number;
	stop(): Promise<void>;
}

/** Where the playground's n8n finds a model. */
export interface ModelServer {
	baseUrl: string;
	apiKey?: string;
	/** The model to use. */
	model: string;
	/** All that the server lists. */
	models: string[];
	description: string;
	/** Only if it was started here. */
	service?: Service;
	stop(): Promise<void>;
}

/** n8n's record of one call of a chat model. */
export interface ModelCall {
	response?: {
		generations?: Array<
			Array<{ text: string; generationInfo?: JsonObject & { tokensPerSecond?: number } }>
		>;
	};
	tokenUsage?: { promptTokens?: number; completionTokens?: number; totalTokens?: number };
}

export interface RunSummary {
	answer: string;
	modelCalls: number;
	promptTokens: number;
	completionTokens: number;
	/** Generation speed, without prompt processing. */
	tokensPerSecond?: number;
}

export interface PackedPackage {
	filename: string;
	/** Bytes of the tarball. */
	size: number;
	unpackedSize: number;
	files: Array<{ path: string; size: number }>;
}

export interface PackageManifest {
	n8n?: { nodes?: string[]; credentials?: string[] };
	dependencies?: Record<string, string>;
	optionalDependencies?: Record<string, string>;
	bundleDependencies?: unknown;
	bundledDependencies?: unknown;
}

/** Counts of a test run. */
export interface Tally {
	passed: number;
	failed: number;
	/** A line for each failure: file, test and message. */
	failures: string[];
	/** Names of skipped tests. */
	skipped: string[];
}

export interface Redis {
	port: number;
	service: Service;
	stop(): Promise<void>;
}

/** Any server that was started here. */
export interface StartedServer {
	/** Without a path. */
	url: string;
	service: Service;
	stop(): Promise<void>;
}

/** PostgreSQL with the user and the database `postgres`, without a password. */
export interface Postgres {
	readonly port: number;
	readonly service: Service;
	/** Ends every connection, and returns when new ones are accepted. */
	restart(): Promise<void>;
	stop(): Promise<void>;
}

/** A worker process of n8n's queue mode. */
export interface N8nWorker {
	service: Service;
	residentBytes(): number;
	stop(): Promise<void>;
}

/** n8n in queue mode with PostgreSQL, from `startQueueMode`. */
export interface QueueMode {
	/** Logged in as the owner. */
	main: N8nServer;
	/** The process that handles webhooks and chats. */
	webhook: N8nServer;
	/** Running workers; `killWorker` removes one, `addWorker` adds one. */
	readonly workers: readonly N8nWorker[];
	readonly redis: Redis;
	readonly postgres: Postgres;
	addWorker(): Promise<N8nWorker>;
	/** SIGKILL, like the system when memory runs out. */
	killWorker(worker: N8nWorker): Promise<void>;
	/** Stops Redis for so long, and restarts it with the queued jobs. */
	interruptRedis(ms: number): Promise<void>;
	/** Every execution in the database, oldest first. */
	executions(): Promise<QueuedExecution[]>;
	/** The workers that started each execution, by ID, from their logs. */
	starts(): Map<string, N8nWorker[]>;
	stop(): Promise<void>;
}

export interface QueuedExecution {
	id: string;
	status: string;
	workflow: string;
	/** The question of the chat. */
	asked: string;
	/** The answer of the last node (an agent or Dify Chat Message). */
	answered: string;
	/** How often each node ran. */
	runs: Record<string, number>;
	/** Message and description. */
	error?: string;
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
	tinyModel: string;
	smolLm2: string;
	redis: string;
	chromium: string;
	chromiumArgs: string[];
	/** Folder for files of the tests; server logs stay there when a test fails. */
	work: string;
	/** Only in `npm run test:e2e`. */
	shared?: SharedN8n;
	/** all-MiniLM-L6-v2, and the same with an untrained reranking head. Only in `npm run test:full`. */
	miniLm?: { embedding: string; reranker: string };
	/** Folder with the programs of a PostgreSQL that has pgvector. Only in `npm run test:full`. */
	postgres?: string;
}

/** Model servers that are Python packages (python-servers.mjs). */
export type PythonServerName = 'liteLlm' | 'vllm';

/** Passed from `npm run test:servers` to the tests, in the file `LOCAL_LLAMA_SERVERS`. */
export interface RealServerParts {
	llamaServer?: string;
	llamaServerProblem?: string;
	/** The llama-server of the Python package: a newer llama.cpp, without a router. */
	llamaServerWheel?: string;
	llamaServerWheelProblem?: string;
	smolLm2?: string;
	smolLm2Problem?: string;
	miniLm?: { embedding: string; reranker: string };
	miniLmProblem?: string;
	ollama?: string;
	ollamaProblem?: string;
	/** whisper.cpp's server, and a model without weights. */
	whisper?: { server: string; model: string };
	whisperProblem?: string;
	/** A Python, and the folder with FastAPI and uvicorn. */
	fastapi?: { python: string; packages: string };
	fastapiProblem?: string;
	/** Python with the packages of each server. */
	python: Record<PythonServerName, { file?: string; problem?: string }>;
	/** Folders in Hugging Face's format. */
	miniLmFolders?: { embedding: string; reranker: string };
	miniLmFoldersProblem?: string;
	/** Folder for files of the tests; server logs stay there when a test fails. */
	work: string;
}
