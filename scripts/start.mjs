/** `npm start`: runs a real n8n with this package and a real model. Options: `npm start -- --help`. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild, stageBuild } from './lib/build.mjs';
import { withLock } from './lib/cache.mjs';
import { ensureDependencies } from './lib/deps.mjs';
import { DEV_ENVIRONMENT, stageDev, watchSources } from './lib/dev.mjs';
import {
	AGENT_WORKFLOW,
	askOnce,
	describeFailure,
	exampleWorkflows,
	playgroundCredential,
	summarizeRun,
	wireWorkflow,
} from './lib/examples.mjs';
import { ensureLlamaServer } from './lib/llama-server.mjs';
import { createLog, formatDuration } from './lib/log.mjs';
import { allOrEveryFailure, main } from './lib/main.mjs';
import { findModelServer, namedServer, startModelServer } from './lib/model-server.mjs';
import { ensureModel } from './lib/model.mjs';
import { ensureN8n } from './lib/n8n-install.mjs';
import {
	executeWorkflow,
	importCredentials,
	importWorkflows,
	n8nCommand,
	startN8n,
} from './lib/n8n.mjs';
import { filesBelow, readJsonIfThere, shortHash, startData } from './lib/paths.mjs';
import { freePortFrom } from './lib/ports.mjs';
import { isStopping } from './lib/proc.mjs';

/** @typedef {import('./lib/types').Login} Login */
/** @typedef {import('./lib/types').ModelServer} ModelServer */
/** @typedef {import('./lib/types').N8nInstall} N8nInstall */

const DEFAULT_PORT = 5678;
/** Examples that run at the first click on the small model, the simplest one first. */
const FIRST_EXAMPLES = [
	'chat-with-local-model',
	AGENT_WORKFLOW,
	'summarize-documents',
	'extract-invoices',
	'classify-and-route-email',
];
const ONCE_TIMEOUT_MS = 30 * 60_000;

const HELP = `npm start                        n8n with the example workflows, in the browser
npm start -- --once "question"   ask the agent once, without a browser
npm start -- --port 5680         another port for n8n (default ${DEFAULT_PORT})
npm run dev                      the same, and every change of the sources is in n8n within a second

The model server is the first of these:
  LOCAL_LLAMA_BASE_URL           any OpenAI-compatible server (LOCAL_LLAMA_API_KEY: its key)
  port 8080 or 9931              of this machine, when a model server answers there
  llama-server                   LLAMA_SERVER_BIN, one on PATH, one built earlier, the one of the Python package
                                 xllamacpp (34 MB), or one compiled now
The model for a llama-server started here:
  LOCAL_LLAMA_MODEL              a GGUF file; else SmolLM2-135M-Instruct; else a generated one that says noise

Other settings:
  LOCAL_LLAMA_CACHE              folder for n8n, llama-server and models
  LOCAL_LLAMA_DATA               folder for n8n's data and the login (default .playground in this clone)
  N8N_PLAYGROUND=2.20            the oldest supported n8n`;

const log = createLog();

/**
 * @param {string} name
 * @param {() => Promise<number>} work
 * @param {string} busy message when another process holds the lock
 */
const withExclusiveLock = async (name, work, busy) => {
	mkdirSync(startData, { recursive: true });
	return await withLock(join(startData, `${name}.lock`), work, (holder) => {
		throw new Error(`${busy} (process ${holder ?? 'unknown'})`);
	});
};

/**
 * @param {boolean} [dev] put the build into a folder that n8n watches
 * @returns {Promise<{ n8n: N8nInstall, nodes: string, server: ModelServer }>}
 */
const prepare = async (dev = false) => {
	const dependencies = ensureDependencies(log);
	const nodes = async () => {
		await dependencies;
		const build = await ensureBuild(log);
		return dev ? stageDev() : await stageBuild(build);
	};
	const server = async () => {
		const found = await findModelServer(log);
		if (found) return found;
		const [binary, model] = await allOrEveryFailure([ensureLlamaServer(log), ensureModel(log)]);
		return await startModelServer(log, binary, model);
	};
	const [, n8n, custom, modelServer] = await allOrEveryFailure([
		dependencies,
		ensureN8n(log, { nodeReady: dependencies }),
		nodes(),
		server(),
	]);
	return { n8n, nodes: custom, server: modelServer };
};

/**
 * Creates a folder for n8n's data that other users cannot read: its database and log contain chats and keys.
 *
 * @param {string} name
 * @returns {string}
 */
const privateFolder = (name) => {
	// For the files that n8n and its database create.
	process.umask(0o077);
	const folder = join(startData, name);
	mkdirSync(folder, { recursive: true });
	for (const file of filesBelow(folder)) chmodSync(file, 0o600);
	chmodSync(folder, 0o700);
	return folder;
};

/**
 * Imports content that has changed since the last start. The user's changes to a workflow survive while its example is
 * the same.
 *
 * @param {string} userFolder
 * @param {string} what
 * @param {unknown} content
 * @param {() => Promise<void>} work
 */
const importWhenChanged = async (userFolder, what, content, work) => {
	const stamp = join(userFolder, `${what}.imported`);
	const hash = shortHash(JSON.stringify(content));
	if (readJsonIfThere(stamp) === hash) return false;
	await work();
	writeFileSync(stamp, JSON.stringify(hash));
	return true;
};

/**
 * @param {{ n8n: N8nInstall, nodes: string, server: ModelServer }} parts
 * @param {string} userFolder
 */
const importCredential = async ({ n8n, nodes, server }, userFolder) => {
	const credential = playgroundCredential(server);
	await log.step('credential', async (progress) => {
		const changed = await importWhenChanged(userFolder, 'credentials', credential, async () => {
			await importCredentials(n8n, [credential], { userFolder, customExtensions: [nodes] });
		});
		if (!changed) progress.note('unchanged');
	});
};

/** @param {ModelServer} server */
const describeServer = ({ model, baseUrl, description }) =>
	`${model || 'model not known'} at ${baseUrl} (${description})`;

/**
 * @param {ModelServer} server
 * @returns {string} the last output of the server, if it was started here and has ended
 */
const serverEnd = ({ service }) =>
	service && !service.running
		? `\nllama-server ended (${service.endReason}):\n${service.lines.slice(-10).join('\n')}`
		: '';

/** @param {string} question */
const once = async (question) => {
	const startedAt = Date.now();
	const parts = await prepare();
	const { n8n, nodes, server } = parts;
	// A separate folder: the one of the browser's n8n may be in use, and should not fill with copies.
	const userFolder = privateFolder(`once-${n8n.version}`);
	await importCredential(parts, userFolder);
	const example = exampleWorkflows().find(({ name }) => name === AGENT_WORKFLOW);
	if (!example) throw new Error(`workflows/${AGENT_WORKFLOW}.json is missing`);
	const workflow = askOnce(wireWorkflow(example.workflow, server), question);
	const options = { userFolder, customExtensions: [nodes] };
	await log.step('workflow', async (progress) => {
		const changed = await importWhenChanged(userFolder, 'workflow', workflow, async () => {
			await importWorkflows(n8n, [workflow], options);
		});
		if (!changed) progress.note('unchanged');
	});
	const execution = await log.step('agent', async (progress) => {
		progress(`asking ${server.model}`);
		return await executeWorkflow(n8n, workflow.id, { ...options, timeoutMs: ONCE_TIMEOUT_MS });
	});
	await server.stop();
	const summary = summarizeRun(execution.run.data);
	const diagnosis = execution.success
		? summary.answer.trim() === ''
			? 'The agent ended without an error and without an answer.'
			: ''
		: describeFailure(execution.run.data) ||
			String(execution.error?.message ?? 'The execution failed.');
	log.line();
	log.line(`Question    ${question}`);
	if (diagnosis) {
		log.line(`Failed      ${diagnosis}${serverEnd(server)}`);
		log.line(`Model       ${describeServer(server)}`);
		return 1;
	}
	log.line(`Answer      ${summary.answer.trim()}`);
	log.line();
	log.line(`Model       ${describeServer(server)}`);
	log.line(`n8n         ${n8n.version}`);
	const { promptTokens, completionTokens, modelCalls, tokensPerSecond: speed } = summary;
	const calls = modelCalls === 1 ? '1 model call' : `${modelCalls} model calls`;
	log.line(`Tokens      ${promptTokens} read, ${completionTokens} written, in ${calls}`);
	log.line(
		`Speed       ${speed === undefined ? 'not told by the server' : `${speed.toFixed(1)} tokens/s`}`,
	);
	log.line('Steps');
	for (const { name, ms, note, ok } of log.timings) {
		log.line(
			`  ${formatDuration(ms).padStart(12)}  ${name}${note ? ` (${note})` : ''}${ok ? '' : ', failed'}`,
		);
	}
	log.line(`  ${formatDuration(Date.now() - startedAt).padStart(12)}  in all`);
	return 0;
};

const LOGIN_FILE = join(startData, 'login.json');

/**
 * Removes n8n's account if its login is lost, so that a new one can be created. Workflows and credentials stay.
 *
 * @param {N8nInstall} install
 * @param {string} userFolder
 */
const forgetLostLogin = async (install, userFolder) => {
	if (readJsonIfThere(LOGIN_FILE) || !existsSync(join(userFolder, '.n8n', 'database.sqlite')))
		return;
	await log.step('account whose login is lost', async (progress) => {
		const { code, output } = await n8nCommand(install, ['user-management:reset'], { userFolder });
		if (code !== 0) throw new Error(`n8n could not take the account out:\n${output.trim()}`);
		progress.note('taken out');
	});
};

/**
 * @param {import('./lib/types').N8nServer} editor
 * @param {Login} login
 * @returns {Promise<boolean>} whether n8n accepts it: the owner may have changed the password
 */
const isAccepted = async (editor, login) => {
	try {
		await editor.login(login);
		return true;
	} catch (error) {
		// With two-factor authentication n8n answers 401 too, after a correct password.
		return (
			!(error instanceof Error && /HTTP 401/.test(error.message)) || /mfa/i.test(error.message)
		);
	}
};

/**
 * Creates the owner's account if there is none.
 *
 * @param {import('./lib/types').N8nServer} editor
 * @returns {Promise<string>} how to log in
 */
const ensureOwner = async (editor) => {
	/** @type {{ userManagement: { showSetupOnFirstLoad: boolean } }} */
	const { userManagement } = await editor.request('GET', '/rest/settings');
	/** @type {Login | undefined} */
	const kept = readJsonIfThere(LOGIN_FILE);
	// n8n requires a capital letter and a digit.
	const login = kept ?? {
		email: 'owner@playground.local',
		password: `Llama-${randomBytes(6).toString('hex')}-1`,
	};
	if (userManagement.showSetupOnFirstLoad) {
		await log.step('owner account', async () => await editor.setupOwner(login));
		writeFileSync(LOGIN_FILE, JSON.stringify(login), { mode: 0o600 });
	} else if (!kept || !(await isAccepted(editor, login))) {
		return `with the password that was set in n8n. A new account: end this, delete ${LOGIN_FILE}, start again`;
	}
	return `${login.email}  ${login.password}`;
};

/**
 * Reports that n8n has reloaded the changed nodes, with the time since the file was saved.
 *
 * @param {string} line of n8n's log
 */
const onReload = (line) => {
	if (/Hot reload triggered/.test(line))
		log.line(`  n8n reloads the nodes (${new Date().toISOString()})`);
};

/**
 * @param {number} wantedPort
 * @param {boolean} dev
 */
const serve = async (wantedPort, dev) => {
	const startedAt = Date.now();
	const parts = await prepare(dev);
	const { n8n, nodes, server } = parts;
	const userFolder = privateFolder(`n8n-${n8n.version}`);
	await forgetLostLogin(n8n, userFolder);
	await importCredential(parts, userFolder);
	const examples = exampleWorkflows();
	const workflows = examples.map(({ workflow }) => wireWorkflow(workflow, server));
	await log.step('example workflows', async (progress) => {
		const changed = await importWhenChanged(userFolder, 'workflows', workflows, async () => {
			await importWorkflows(n8n, workflows, { userFolder, customExtensions: [nodes] });
		});
		progress.note(changed ? `${workflows.length} imported` : 'unchanged');
	});
	const port = await freePortFrom(wantedPort);
	if (port !== wantedPort) log.line(`  Port ${wantedPort} is taken; n8n gets ${port}.`);
	const logFile = join(startData, 'n8n.log');
	rmSync(logFile, { force: true });
	const options = {
		userFolder,
		port,
		customExtensions: [nodes],
		logFile,
		...(dev ? { env: DEV_ENVIRONMENT, onLine: onReload } : {}),
	};
	const editor = await log.step('start of n8n', async () => await startN8n(n8n, options));
	const login = await ensureOwner(editor);

	log.line();
	const readyAfter = formatDuration(Date.now() - startedAt);
	log.line(
		`n8n         http://localhost:${port}  (version ${n8n.version}, ready after ${readyAfter})`,
	);
	log.line(`Login       ${login}`);
	log.line(`Model       ${describeServer(server)}`);
	log.line(`Logs        ${logFile}`);
	log.line();
	const addressOf = (/** @type {string} */ name) => {
		const { workflow } = examples.find((example) => example.name === name) ?? {};
		return `http://localhost:${port}/workflow/${workflow?.id}  ${workflow?.name}`;
	};
	const [first = '', ...next] = FIRST_EXAMPLES;
	log.line(`Start here: ${addressOf(first)}`);
	for (const name of next) log.line(`            ${addressOf(name)}`);
	log.line(`            All ${workflows.length} examples are in n8n's list of workflows.`);
	log.line();
	if (dev) {
		watchSources(log, nodes);
		log.line('Sources are watched: credentials, icons, lib, nodes.');
	}
	log.line('Ctrl-C ends everything.');
	const ends = [editor.service, ...(server.service ? [server.service] : [])].map(
		async (service) => {
			await service.exited;
			return service;
		},
	);
	const ended = await Promise.race(ends);
	if (isStopping()) return 1;
	log.line();
	log.line(`${ended.name} ended by itself (${ended.endReason}):`);
	for (const line of ended.lines.slice(-20)) log.line(`  ${line}`);
	return 1;
};

await main(async () => {
	const { values, positionals } = parseArgs({
		options: {
			once: { type: 'string' },
			port: { type: 'string', default: String(DEFAULT_PORT) },
			dev: { type: 'boolean', default: false },
			help: { type: 'boolean', short: 'h' },
		},
		allowPositionals: true,
	});
	if (values.help) {
		process.stdout.write(`${HELP}\n`);
		return 0;
	}
	if (positionals.length > 0)
		throw new Error(`Not understood: ${positionals.join(' ')}\n\n${HELP}`);
	const port = Number(values.port);
	if (!Number.isInteger(port) || port < 1 || port > 65_535)
		throw new Error(`--port ${values.port} is not a port`);
	// Check the setting now, not after minutes of installing.
	namedServer();
	if (values.once === undefined) {
		return await withExclusiveLock(
			'start',
			async () => await serve(port, values.dev),
			'npm start runs already in this clone',
		);
	}
	const question = values.once.trim();
	if (question === '')
		throw new Error('--once needs a question: npm start -- --once "Say hello in one sentence"');
	return await withExclusiveLock(
		'once',
		async () => await once(question),
		'A question is being answered already in this clone',
	);
});
