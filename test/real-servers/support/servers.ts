/** Real model servers for the tests in this folder, prepared by `npm run test:servers`. */
import type {
	LlamaServer,
	LlamaServerOptions,
	PythonServerName,
	RealServerParts,
	ScriptedReply,
	StartedServer,
} from '../../../scripts/lib/types';
import { closeChannels } from '../../../lib/http/dispatcher';
import { connectTo } from '../../../lib/servers/connect';
import { fs, path, process } from '../../support/node';
import { loadScript } from '../../support/scripts';

interface LlamaServerScript {
	startLlamaServer(binary: string, options: Partial<LlamaServerOptions>): Promise<LlamaServer>;
}
interface OllamaScript {
	startOllama(
		binary: string,
		options: { folder: string; env?: Record<string, string | undefined> },
	): Promise<StartedServer>;
}
interface WhisperScript {
	startWhisperServer(
		binary: string,
		options: { model: string; args?: string[]; logFile?: string },
	): Promise<StartedServer>;
}
interface FastapiScript {
	startMinimalServer(
		fastapi: { python: string; packages: string },
		options?: { logFile?: string },
	): Promise<StartedServer>;
}
interface PythonServersScript {
	startPythonServer(
		name: PythonServerName,
		python: string,
		options: { folder: string; args: string[]; env?: Record<string, string> },
	): Promise<StartedServer>;
}
interface ScriptedModelScript {
	writeScriptedModel(
		file: string,
		replies: ScriptedReply[],
		options: { contextLength: number },
	): void;
	writeScriptedFolder(
		folder: string,
		replies: ScriptedReply[],
		options: { contextLength: number },
	): void;
}

interface PortsScript {
	freePort(): Promise<number>;
}

/** Ends a server like a crash, and returns when its process is gone. */
export type Kill = () => Promise<void>;

const killer =
	(service: StartedServer['service']): Kill =>
	async () => {
		service.kill('SIGKILL');
		await service.exited;
	};

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

/** A port for a server that opens a second one. */
export async function freePort(): Promise<number> {
	return await (await loadScript<PortsScript>('ports')).freePort();
}

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
	{ contains: 'story', reply: LONG_ANSWER },
	{ reply: 'Hello. How are you?' },
];

/** The scripted model as GGUF, for llama.cpp. */
export async function scriptedFile(): Promise<string> {
	const { writeScriptedModel } = await loadScript<ScriptedModelScript>('tiny-model');
	const file = path.join(workFolder('model'), 'scripted.gguf');
	writeScriptedModel(file, REPLIES, { contextLength: CONTEXT });
	return file;
}

/** The scripted model in Hugging Face's format. */
export async function scriptedFolder(): Promise<string> {
	const { writeScriptedFolder } = await loadScript<ScriptedModelScript>('hugging-face');
	const folder = workFolder('model');
	writeScriptedFolder(folder, REPLIES, { contextLength: CONTEXT });
	return folder;
}

/** A server that is a Python package; `kill` ends it like a crash. */
export async function startPythonServer(
	name: PythonServerName,
	args: string[],
	env: Record<string, string> = {},
): Promise<{ url: string; kill: Kill }> {
	const { startPythonServer: start } = await loadScript<PythonServersScript>('python-servers');
	const folder = workFolder(name);
	const { url, service } = started(
		await start(name, parts().python[name].file!, { folder, args, env }),
	);
	return { url, kill: killer(service) };
}

/** A llama-server router: section names and settings of its preset file. */
export async function startRouter(
	models: Record<string, Record<string, string | number | boolean>>,
	{ apiKey }: Pick<LlamaServerOptions, 'apiKey'> = {},
): Promise<string> {
	const { startLlamaServer } = await loadScript<LlamaServerScript>('llama-server');
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
		await startLlamaServer(parts().llamaServer!, {
			args: ['--models-preset', preset, '--models-max', '3'],
			apiKey,
			logFile: path.join(folder, 'llama-server.log'),
		}),
	);
	return url;
}

/** A llama-server with one model. */
export async function startLlamaServer(
	binary: string,
	options: Partial<LlamaServerOptions>,
): Promise<string> {
	const { startLlamaServer: start } = await loadScript<LlamaServerScript>('llama-server');
	const logFile = path.join(workFolder('llama-server'), 'llama-server.log');
	return started(await start(binary, { ...options, logFile })).url;
}

export async function startOllama(env: Record<string, string> = {}): Promise<string> {
	const { startOllama: start } = await loadScript<OllamaScript>('ollama');
	return started(await start(parts().ollama!, { folder: workFolder('ollama'), env })).url;
}

export async function startWhisperServer(args: string[] = []): Promise<string> {
	const { startWhisperServer: start } = await loadScript<WhisperScript>('whisper');
	const { server, model } = parts().whisper!;
	const logFile = path.join(workFolder('whisper'), 'whisper.log');
	return started(await start(server, { model, args, logFile })).url;
}

/** The server of `minimal_server.py`; its key is `sk-test`. */
export async function startMinimalServer(): Promise<string> {
	const { startMinimalServer: start } = await loadScript<FastapiScript>('fastapi');
	return started(
		await start(parts().fastapi!, { logFile: path.join(workFolder('fastapi'), 'server.log') }),
	).url;
}

export const connection = (baseUrl: string, key?: string) =>
	connectTo({
		baseUrl,
		...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
	});

/** Stops all servers that this test file started. */
export async function stopServers(): Promise<void> {
	await closeChannels();
	const servers = [...running];
	running.clear();
	await Promise.all(servers.map(async (server) => await server.stop()));
}
