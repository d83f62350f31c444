/** `npm start`: runs a real n8n with this package and a real model. Options: `npm start -- --help`. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withLock } from './lib/system/cache.mjs';
import { stageBuild } from './lib/package/build.mjs';
import { DEV_ENVIRONMENT, watchSources } from './lib/package/dev.mjs';
import { ensureN8nWithNodes } from './lib/checks/e2e.mjs';
import {
	AGENT_WORKFLOW,
	FIRST_EXAMPLES,
	getResponseText,
	askOnce,
	exampleWorkflows,
	playgroundCredential,
	wireWorkflow,
} from './lib/n8n/examples.mjs';
import { ensureLlamaServer } from './lib/models/llama-server.mjs';
import { createLog, formatDuration } from './lib/system/log.mjs';
import { allOrEveryFailure, main } from './lib/system/script-main.mjs';
import { findModelServer, toOrigin, startModelServer } from './lib/models/model-server.mjs';
import { ensureModel } from './lib/models/model.mjs';
import { executeWorkflow, importInto, startN8n } from './lib/n8n/n8n.mjs';
import { filesBelow, readJsonIfThere, shortHash, startData } from './lib/system/paths.mjs';
import { freePortFrom } from './lib/system/ports.mjs';
import { isStopping } from './lib/system/processes.mjs';

/** @typedef {import('./lib/types').Login} Login */
/** @typedef {import('./lib/types').ModelServer} ModelServer */
/** @typedef {import('./lib/types').N8nInstall} N8nInstall */
/** @typedef {{ n8n: N8nInstall, nodes: string, server: ModelServer }} Parts */

const DEFAULT_PORT = 5678;
const HELP = `npm start                        n8n with the example workflows, in the browser
npm start -- --once "question"   ask the agent once, without a browser
npm start -- --port 5680         another port for n8n (default ${DEFAULT_PORT})
npm run dev                      the same, and every change of the sources is in n8n within a second

The model server is the first of these:
  LOCAL_LLAMA_BASE_URL           any OpenAI-compatible server (LOCAL_LLAMA_API_KEY: its key)
  port 9931 or 8080              of this machine, if a model server responds
  llama-server                   LLAMA_SERVER_BIN, one on PATH, or the one of the Python package xllamacpp (34 MB)
The model for a llama-server started here:
  LOCAL_LLAMA_MODEL              a GGUF file (default SmolLM2-135M-Instruct)

Other settings:
  LOCAL_LLAMA_CACHE              folder for n8n, llama-server and models
  LOCAL_LLAMA_DATA               folder for n8n's data and the login (default .playground in this clone)
  LOCAL_LLAMA_N8N=2.20           the oldest supported n8n`;

const log = createLog();

/**
 * @param {'start' | 'once'} name
 * @param {() => Promise<number>} work
 */
const alone = async (name, work) => {
	mkdirSync(startData, { recursive: true });
	return await withLock(join(startData, `${name}.lock`), work, (holder) => {
		throw new Error(`npm start runs already in this clone (process ${holder})`);
	});
};

/**
 * @param {boolean} [dev] builds into a folder that n8n watches
 * @returns {Promise<Parts>}
 */
const prepare = async (dev = false) => {
	const server = async () => {
		const found = await findModelServer(log);
		if (found) return found;
		const [binary, model] = await allOrEveryFailure([ensureLlamaServer(log), ensureModel(log)]);
		return await startModelServer(log, binary, model);
	};
	const [parts, modelServer] = await allOrEveryFailure([ensureN8nWithNodes(log), server()]);
	return { n8n: parts.n8n, nodes: dev ? stageBuild('dev') : parts.nodes, server: modelServer };
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
 * Imports content that has changed since the last start. The user's changes to a workflow are kept while its example is
 * unchanged.
 *
 * @param {Parts} parts
 * @param {string} userFolder
 * @param {'credentials' | 'workflows'} what
 * @param {unknown[]} content
 */
const importWhenChanged = async ({ n8n, nodes }, userFolder, what, content) =>
	await log.step(what, async (progress) => {
		const stamp = join(userFolder, `${what}.imported`);
		const hash = shortHash(JSON.stringify(content));
		if (readJsonIfThere(stamp) === hash) return progress.note('unchanged');
		await importInto(n8n, what, content, { userFolder, customExtensions: [nodes] });
		writeFileSync(stamp, JSON.stringify(hash));
		progress.note(`${content.length} imported`);
	});

/** @param {ModelServer} server */
const describeServer = ({ model, baseUrl, description }) =>
	`${model || 'model not known'} at ${baseUrl} (${description})`;

/** @param {string} question */
const once = async (question) => {
	const parts = await prepare();
	const { n8n, nodes, server } = parts;
	// A separate folder: the one of the browser's n8n may be in use, and should not fill with copies.
	const userFolder = privateFolder(`once-${n8n.version}`);
	await importWhenChanged(parts, userFolder, 'credentials', [playgroundCredential(server)]);
	const example = exampleWorkflows().find(({ name }) => name === AGENT_WORKFLOW);
	if (!example) throw new Error(`workflows/${AGENT_WORKFLOW}.json is missing`);
	const workflow = askOnce(wireWorkflow(example.workflow, server), question);
	await importWhenChanged(parts, userFolder, 'workflows', [workflow]);
	const { success, error, run } = await log.step('agent', async (progress) => {
		progress(`asking ${server.model}`);
		return await executeWorkflow(n8n, workflow.id, { userFolder, customExtensions: [nodes] });
	});
	await server.stop();
	const answer = success ? getResponseText(run.data) : '';
	log.line();
	log.line(`Question    ${question}`);
	log.line(`Model       ${describeServer(server)}`);
	if (answer !== '') {
		log.line(`Answer      ${answer}`);
		return 0;
	}
	const { message, description = '' } = error ?? { message: 'There is no answer.' };
	log.line(`Failed      ${message}\n            ${description}`);
	return 1;
};

const LOGIN_FILE = join(startData, 'login.json');

/**
 * Creates the owner's account if there is none.
 *
 * @param {import('./lib/types').N8nServer} editor
 * @returns {Promise<string>} how to log in
 */
const ensureOwner = async (editor) => {
	/** @type {Login | undefined} */
	const storedLogin = readJsonIfThere(LOGIN_FILE);
	// n8n requires a capital letter and a digit.
	const password = `Llama-${randomBytes(6).toString('hex')}-1`;
	const login = storedLogin ?? { email: 'owner@playground.local', password };
	/** @type {{ userManagement: { showSetupOnFirstLoad: boolean } }} */
	const { userManagement } = await editor.request('GET', '/rest/settings');
	if (userManagement.showSetupOnFirstLoad) {
		await log.step('owner account', async () => await editor.setupOwner(login));
		writeFileSync(LOGIN_FILE, JSON.stringify(login), { mode: 0o600 });
	} else if (storedLogin === undefined) {
		return `the one of an earlier start (a new one: end this, delete ${editor.userFolder})`;
	}
	return `${login.email}  ${login.password}`;
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
	await importWhenChanged(parts, userFolder, 'credentials', [playgroundCredential(server)]);
	const examples = exampleWorkflows();
	// n8n lists the last imported one first.
	const workflows = examples.map(({ workflow }) => wireWorkflow(workflow, server)).reverse();
	await importWhenChanged(parts, userFolder, 'workflows', workflows);
	const port = await freePortFrom(wantedPort);
	if (port !== wantedPort) log.line(`  Port ${wantedPort} is taken; n8n gets ${port}.`);
	const logFile = join(startData, 'n8n.log');
	rmSync(logFile, { force: true });
	const options = {
		userFolder,
		port,
		customExtensions: [nodes],
		logFile,
		...(dev ? { env: DEV_ENVIRONMENT } : {}),
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
	const toAddress = (/** @type {string} */ name) => {
		const { workflow } = examples.find((example) => example.name === name) ?? {};
		return `http://localhost:${port}/workflow/${workflow?.id}  ${workflow?.name}`;
	};
	const [first = '', ...next] = FIRST_EXAMPLES;
	log.line(`Start here: ${toAddress(first)}`);
	for (const name of next) log.line(`            ${toAddress(name)}`);
	log.line(`            All ${workflows.length} examples are in n8n's list of workflows.`);
	log.line();
	if (dev) {
		watchSources(log, nodes);
		log.line('Sources are watched: credentials, icons, lib, nodes.');
	}
	log.line('Ctrl-C ends everything.');
	const services = [editor.service, server.service].flatMap((service) => service ?? []);
	const ended = await Promise.race(
		services.map(async (each) => await each.exited.then(() => each)),
	);
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
	if (!(port > 0 && port < 65_536)) throw new Error(`--port ${values.port} is not a port`);
	// Checked now, not after minutes of installing.
	if (process.env.LOCAL_LLAMA_BASE_URL) toOrigin(process.env.LOCAL_LLAMA_BASE_URL);
	const question = values.once?.trim();
	if (question === '')
		throw new Error('--once needs a question: npm start -- --once "What is the capital of Japan?"');
	return question === undefined
		? await alone('start', async () => await serve(port, values.dev))
		: await alone('once', async () => await once(question));
});
