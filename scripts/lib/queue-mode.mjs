/** n8n in queue mode: PostgreSQL, Redis, a main process, a webhook process, and workers. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startN8n, startN8nWebhook, startN8nWorker, TEST_LOGIN } from './n8n.mjs';
import { parseFlatted } from './n8n-client.mjs';
import { startPostgres } from './postgres.mjs';
import { startRedis } from './redis.mjs';

/** @typedef {import('./types').N8nWorker} N8nWorker */

/** Settings that docs/operations.md recommends. */
const RECOMMENDED = {
	OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
	QUEUE_BULL_REDIS_TIMEOUT_THRESHOLD: '60000',
	DB_PING_TIMEOUT_MS: '30000',
	N8N_EXECUTIONS_QUEUE_KEEP_LAST_COMPLETED: '1000',
	N8N_EXECUTIONS_QUEUE_KEEP_LAST_FAILED: '1000',
};

/**
 * @typedef {object} QueueModeOptions
 * @property {string} folder an empty one, for logs and data
 * @property {string} nodes the built package
 * @property {string} redis the program, from `findRedis`
 * @property {string} postgres folder of the programs, from `ensurePostgres`
 * @property {number} [workers]
 * @property {number} [concurrency] executions at once of each worker
 * @property {Record<string, string>} [env] further settings of n8n
 */

/**
 * @param {unknown} value
 * @returns {Record<string, any>}
 */
const record = (value) => (value !== null && typeof value === 'object' ? { ...value } : {});

/**
 * @param {{ id: number, status: string, workflow: string, data: string | null }} row
 * @returns {import('./types').QueuedExecution}
 */
const executionOf = ({ id, status, workflow, data }) => {
	const stored = record(data === null ? {} : parseFlatted(data));
	const { runData, error } = record(stored.resultData);
	const [waiting] = record(stored.executionData).nodeExecutionStack ?? [];
	/** Data of the first node, which hold the question: its output, or its input before it ran. */
	const first = Object.values(record(runData))[0]?.[0]?.data ?? waiting?.data;
	const { message, description } = record(error);
	const { output, answer } = record(
		Object.values(record(runData)).at(-1)?.[0]?.data?.main?.[0]?.[0]?.json,
	);
	return {
		id: String(id),
		status,
		workflow,
		asked: String(first?.main?.[0]?.[0]?.json?.chatInput ?? ''),
		answered: String(output ?? answer ?? ''),
		runs: Object.fromEntries(
			Object.entries(record(runData)).map(([name, runs]) => [name, runs.length]),
		),
		...(error === undefined ? {} : { error: [message, description].filter(Boolean).join(' ') }),
	};
};

/**
 * @param {import('./types').N8nInstall} install
 * @param {QueueModeOptions} options
 * @returns {Promise<import('./types').QueueMode>}
 */
export const startQueueMode = async (install, options) => {
	const { folder, nodes, workers: count = 3, concurrency = 24 } = options;
	const userFolder = join(folder, 'home');
	const redisFolder = join(folder, 'redis');
	mkdirSync(redisFolder, { recursive: true });
	/** @type {Array<{ stop(): Promise<void> }>} */
	const started = [];
	const stop = async () => {
		// n8n first: without its database it would log errors for seconds.
		for (const server of started.splice(0).reverse()) await server.stop();
	};
	try {
		const postgres = await startPostgres(options.postgres);
		started.push(postgres);
		let redis = await startRedis(options.redis, redisFolder, { keepsJobs: true });
		started.push({ stop: async () => await redis.stop() });
		const env = {
			EXECUTIONS_MODE: 'queue',
			...RECOMMENDED,
			DB_TYPE: 'postgresdb',
			DB_POSTGRESDB_HOST: '127.0.0.1',
			DB_POSTGRESDB_PORT: String(postgres.port),
			DB_POSTGRESDB_USER: 'postgres',
			DB_POSTGRESDB_DATABASE: 'postgres',
			DB_POSTGRESDB_POOL_SIZE: '8',
			QUEUE_BULL_REDIS_HOST: '127.0.0.1',
			QUEUE_BULL_REDIS_PORT: String(redis.port),
			...options.env,
		};
		const common = { userFolder, customExtensions: [nodes], env };
		const main = await startN8n(install, { ...common, logFile: join(folder, 'main.log') });
		started.push(main);
		await main.setupOwner(TEST_LOGIN);
		await main.login(TEST_LOGIN);

		/** @type {Array<{ worker: N8nWorker, logFile: string }>} all workers, including stopped ones */
		const all = [];
		/** @type {N8nWorker[]} */
		const workers = [];
		const addWorker = async () => {
			const logFile = join(folder, `worker-${all.length + 1}.log`);
			appendFileSync(logFile, '');
			const entry = { logFile };
			all.push(/** @type {{ worker: N8nWorker, logFile: string }} */ (entry));
			const worker = await startN8nWorker(install, { ...common, concurrency, logFile });
			Object.assign(entry, { worker });
			workers.push(worker);
			started.push(worker);
			return worker;
		};
		const [webhook] = await Promise.all([
			startN8nWebhook(install, { ...common, logFile: join(folder, 'webhook.log') }),
			...Array.from({ length: count }, addWorker),
		]);
		started.push(webhook);

		/** @type {{ Client: new (options: object) => any }} n8n's own */
		const { Client } = createRequire(join(install.folder, 'node_modules', 'n8n', 'package.json'))(
			'pg',
		);
		const executions = async () => {
			const client = new Client({
				host: '127.0.0.1',
				port: postgres.port,
				user: 'postgres',
				database: 'postgres',
			});
			await client.connect();
			try {
				const { rows } = await client.query(
					`SELECT e.id, e.status, w.name AS workflow, d.data FROM execution_entity e
					JOIN workflow_entity w ON w.id = e."workflowId" LEFT JOIN execution_data d ON d."executionId" = e.id ORDER BY e.id`,
				);
				return rows.map(executionOf);
			} finally {
				await client.end();
			}
		};
		return {
			main,
			webhook,
			workers,
			get redis() {
				return redis;
			},
			postgres,
			addWorker,
			killWorker: async (worker) => {
				worker.service.kill('SIGKILL');
				await worker.service.exited;
				workers.splice(workers.indexOf(worker), 1);
			},
			interruptRedis: async (ms) => {
				redis.service.kill('SIGKILL');
				await redis.service.exited;
				await delay(ms);
				redis = await startRedis(options.redis, redisFolder, { port: redis.port, keepsJobs: true });
			},
			executions,
			starts: () => {
				/** @type {Map<string, N8nWorker[]>} */
				const starts = new Map();
				for (const { worker, logFile } of all) {
					for (const [, id = ''] of readFileSync(logFile, 'utf8').matchAll(
						/Worker started execution (\d+) /g,
					)) {
						starts.set(id, [...(starts.get(id) ?? []), worker]);
					}
				}
				return starts;
			},
			stop,
		};
	} catch (error) {
		await stop();
		throw error;
	}
};
