/**
 * The real parts for end-to-end tests: n8n with this package, llama-server, models. `npm run test:e2e` prepares them and
 * starts one n8n for all its suites; `npm run test:full` prepares more, and its suites start n8n themselves.
 *
 * Everything a test starts here ends with `stopEverything()` (call it in `afterAll`), at the latest with the run.
 */
import type {
	ChatLine,
	Credential,
	E2eParts,
	LlamaServer,
	LlamaServerOptions,
	Login,
	N8nClient,
	N8nInstall,
	N8nServer,
	Service,
	SharedN8n,
	StartN8nOptions,
	Workflow,
} from '../../../scripts/lib/types';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { ScriptedReply } from '../../support/servers/scripted-reply';
import { loadModule, loadScript } from '../../support/files/scripts';
import { startN8nWorker, startRedis } from './services';
import type { Running } from './services';

export type {
	ChatLine,
	Credential,
	Execution,
	ExecutionData,
	LlamaServer,
	LlamaSlot,
	N8nClient,
	N8nServer,
	NodeRun,
	StartN8nOptions,
	Workflow,
	WorkflowNode,
} from '../../../scripts/lib/types';
export type { ScriptedReply } from '../../support/servers/scripted-reply';

/** n8n's record of one call of a chat model. */
export interface ModelCall {
	response?: {
		generations?: Array<Array<{ text: string; generationInfo?: Record<string, unknown> }>>;
	};
	tokenUsage?: { promptTokens?: number; completionTokens?: number; totalTokens?: number };
}

interface N8nScript {
	TEST_LOGIN: Login;
	startN8n(install: N8nInstall, options: StartN8nOptions): Promise<N8nServer>;
	copyPreparedUserFolder(install: N8nInstall, target: string): Promise<void>;
}

interface LlamaServerScript {
	startLlamaServer(binary: string, options: LlamaServerOptions): Promise<LlamaServer>;
}

interface N8nClientScript {
	n8nClient(url: string, session: string): N8nClient;
}

interface ScriptedModelScript {
	writeScriptedModel(
		file: string,
		replies: ScriptedReply[],
		options?: { contextLength?: number },
	): void;
}

interface DecisionModelScript {
	writeDecisionModel(source: string, file: string): void;
}

interface Stoppable {
	service?: Service;
	stop(): Promise<void>;
}

const running = new Set<Stoppable>();
/** Servers that are being started: if one fails, the others must be stopped as well. */
const starting = new Set<Promise<unknown>>();

/** Waits for a server and registers it for `stopEverything`. */
export async function registerServer<T extends Stoppable>(start: Promise<T>): Promise<T> {
	starting.add(start);
	try {
		const server = await start;
		running.add(server);
		return server;
	} finally {
		starting.delete(start);
	}
}

/** Log files of servers that another process started. */
const logFiles = new Set<string>();

/** From environment.cjs. */
declare const onTestFailure: (act: () => void) => void;

/** Log lines per server that are shown after an error. */
const LAST_WORDS = 15;

// Printed, since log files are lost in CI.
onTestFailure(() => {
	for (const file of logFiles) {
		const written = fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LAST_WORDS);
		process.stdout.write(`  The n8n of all suites said last:\n    ${written.join('\n    ')}\n`);
	}
	for (const { service } of running) {
		if (service === undefined) continue;
		const { name, pid, lines, running: lives, endReason } = service;
		const lastLines = lines.slice(-LAST_WORDS).map((line) => `    ${line}\n`);
		process.stdout.write(
			`  ${name} (process ${pid}${lives ? '' : `, ${endReason}`}) said last:\n${lastLines.join('')}`,
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

/** Chromium of this machine, for `launch({ executablePath, args })` of playwright-core. */
export function chromium(): { executablePath: string; args: string[] } {
	const { chromium: executablePath, chromiumArgs: args } = parts();
	return { executablePath, args };
}

/** An empty folder for the test. Its files are kept until the next run. */
export function workFolder(name = 'test'): string {
	return fs.mkdtempSync(path.join(parts().work, `${name}-`));
}

/** Extra Body with which llama-server generates until it is stopped, if Max Tokens is -1. */
export const ENDLESS = '{ "ignore_eos": true }';

/**
 * Writes a model that responds with fixed texts. The real llama-server streams them and parses their tool calls and
 * thinking like those of a large model.
 */
export async function scriptedModel(
	replies: ScriptedReply[],
	options?: { contextLength?: number },
): Promise<string> {
	const { writeScriptedModel } = await loadModule<ScriptedModelScript>(
		'test/support/servers/scripted-model',
	);
	const file = path.join(workFolder('model'), 'scripted.gguf');
	writeScriptedModel(file, replies, options);
	return file;
}

/** Writes a decision model with random weights, for the real llama-server. */
export async function decisionModel(): Promise<string> {
	const { writeDecisionModel } = await loadModule<DecisionModelScript>(
		'test/support/servers/decision-model',
	);
	const file = path.join(workFolder('model'), 'decision.gguf');
	writeDecisionModel(parts().noise, file);
	return file;
}

/** Starts the real llama-server; without `model`, with the one that responds with noise. */
export async function startLlamaServer(
	options: Partial<LlamaServerOptions> = {},
): Promise<LlamaServer> {
	const { startLlamaServer: start } = await loadScript<LlamaServerScript>('models/llama-server');
	return await registerServer(
		start(parts().llamaServer, {
			model: parts().noise,
			alias: 'test-model',
			threads: 1,
			logFile: path.join(workFolder('llama-server'), 'llama-server.log'),
			...options,
		}),
	);
}

/** Creates a user folder with an owner only. */
export async function newUserFolder(): Promise<string> {
	const { copyPreparedUserFolder } = await loadScript<N8nScript>('n8n/n8n');
	const folder = path.join(workFolder('n8n'), 'home');
	await copyPreparedUserFolder(parts().n8n, folder);
	return folder;
}

export type GateN8n = Omit<SharedN8n, 'session'> & N8nClient;

/** The n8n that `npm run test:e2e` started, logged in as its owner. It has the package under both prefixes. */
export async function theSharedN8n(): Promise<GateN8n> {
	const { n8nClient } = await loadScript<N8nClientScript>('n8n/n8n-client');
	const { shared } = parts();
	if (shared === undefined) throw new Error('This suite needs the n8n of npm run test:e2e');
	logFiles.add(shared.logFile);
	return { ...shared, ...n8nClient(shared.url, shared.session) };
}

/** How a test starts n8n. */
interface StartOptions extends Partial<StartN8nOptions> {
	/** Whether `env` names an empty database. Default: the prepared one, which has the owner. */
	isNew?: boolean;
}

/** Starts a separate n8n with this package as custom nodes (`CUSTOM.` types), logged in as its owner. */
export async function startN8n({
	isNew = false,
	...options
}: StartOptions = {}): Promise<N8nServer> {
	const { startN8n: start, TEST_LOGIN } = await loadScript<N8nScript>('n8n/n8n');
	const { n8n, nodes } = parts();
	const userFolder = options.userFolder ?? (await newUserFolder());
	const server = await registerServer(
		start(n8n, {
			customExtensions: [nodes],
			logFile: path.join(path.dirname(userFolder), 'n8n.log'),
			...options,
			userFolder,
		}),
	);
	await (isNew ? server.setupOwner(TEST_LOGIN) : server.login(TEST_LOGIN));
	return server;
}

/**
 * Starts n8n in queue mode: the main process takes requests, a worker executes. Both have this package's nodes.
 *
 * @param postgresPort - Of an empty PostgreSQL. Default: SQLite, which n8n locks at times (SQLITE_BUSY) if several workers write.
 */
export async function startN8nWithWorker({ postgresPort }: { postgresPort?: number } = {}): Promise<
	N8nServer & { worker: Running; startWorker: () => Promise<Running> }
> {
	const { n8n: install, nodes, redis: bin } = parts();
	const redis = await registerServer(startRedis(bin, workFolder('redis')));
	const env = {
		EXECUTIONS_MODE: 'queue',
		OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
		QUEUE_BULL_REDIS_HOST: '127.0.0.1',
		QUEUE_BULL_REDIS_PORT: String(redis.port),
		// n8n ends if Redis is unavailable for longer; a busy machine may pause.
		QUEUE_BULL_REDIS_TIMEOUT_THRESHOLD: '120000',
		// Without them, a chat stays open if its response arrives before n8n waits for it.
		N8N_EXECUTIONS_QUEUE_KEEP_LAST_COMPLETED: '1000',
		N8N_EXECUTIONS_QUEUE_KEEP_LAST_FAILED: '1000',
		...(postgresPort !== undefined && toPostgresEnvironment(postgresPort)),
	};
	const main = await startN8n({ env, isNew: postgresPort !== undefined });
	const logFile = path.join(path.dirname(main.userFolder), 'worker.log');
	const startWorker = async () =>
		await registerServer(
			startN8nWorker(install, {
				userFolder: main.userFolder,
				customExtensions: [nodes],
				env,
				logFile,
			}),
		);
	return { ...main, worker: await startWorker(), startWorker };
}

/** n8n's variables for a PostgreSQL of `startPostgres`. */
const toPostgresEnvironment = (port: number): Record<string, string> => ({
	DB_TYPE: 'postgresdb',
	DB_POSTGRESDB_HOST: '127.0.0.1',
	DB_POSTGRESDB_PORT: String(port),
	DB_POSTGRESDB_DATABASE: 'postgres',
	DB_POSTGRESDB_USER: 'postgres',
});

/** All lines of a chat's stream. */
export async function chatLines(
	n8n: Pick<N8nClient, 'chat'>,
	webhookId: string,
	text: string,
	{ lines = [], ...options }: { sessionId?: string; signal?: AbortSignal; lines?: ChatLine[] } = {},
): Promise<ChatLine[]> {
	for await (const line of n8n.chat(webhookId, text, options)) lines.push(line);
	return lines;
}

/** The streamed chunks of text. */
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

/** Creates and activates a workflow; its webhooks respond soon after (`webhook` and `chat` wait for that). */
export async function importWorkflow(
	n8n: Pick<N8nClient, 'createWorkflow' | 'activate'>,
	workflow: Workflow,
): Promise<Workflow & { id: string }> {
	const created = await n8n.createWorkflow(workflow);
	await n8n.activate(created.id);
	return created;
}

/** Stops all servers that this test file started. */
export async function stopEverything(): Promise<void> {
	await Promise.allSettled(starting);
	const servers = [...running];
	running.clear();
	await Promise.all(servers.map(async (server) => await server.stop()));
}
