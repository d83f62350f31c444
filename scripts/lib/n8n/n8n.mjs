/** Runs the pinned n8n: its server and its command line. */
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir, cached } from '../system/cache.mjs';
import { node, toolEnvironment } from '../system/dependencies.mjs';
import { n8nClient } from './n8n-client.mjs';
import { root, shortHash } from '../system/paths.mjs';
import { freePort } from '../system/ports.mjs';
import { onExit, run, startService } from '../system/processes.mjs';
import { waitForService } from '../system/wait-for-service.mjs';

/** @typedef {import('../types').N8nInstall} N8nInstall */

/** The start takes 6 s on two idle cores, on busy machines over a minute. */
const READY_TIMEOUT_MS = 300_000;

/** Variables of the user's own n8n, and of the caller: with jest's `NODE_ENV=test` n8n exits silently. */
const NOT_FOR_THIS =
	/^(npm|JEST|NODE_ENV|NODE_OPTIONS|N8N|DB|EXECUTIONS|QUEUE|CREDENTIALS|WEBHOOK|WORKFLOWS|NODES|EXTERNAL_HOOK|INSTANCE_AI|GENERIC_TIMEZONE)(_|$)/;

/** Owner account of n8n instances for tests. */
export const TEST_LOGIN = { email: 'owner@example.com', password: 'Local-llama-1' };

/** Settings that make n8n 2.41 behave like n8n 3 (docs/compatibility.md), for `N8N_DEFAULTS=3`. */
const DEFAULTS_OF_3 = {
	N8N_COMMUNITY_PACKAGES_ENABLED: 'true',
	N8N_UNVERIFIED_PACKAGES_ENABLED: 'false',
	N8N_DEFAULT_BINARY_DATA_MODE: 'filesystem',
	N8N_RUNNERS_TASK_TIMEOUT: '60',
	OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
	N8N_DISABLED_MODULES: 'chat-hub',
	N8N_COMPRESSION_NODE_MAX_DECOMPRESSED_SIZE_BYTES: String(256 * 1024 * 1024),
	N8N_COMPRESSION_NODE_MAX_ZIP_ENTRIES: '1000',
};

/**
 * @param {import('../types').N8nEnvironment} options
 * @returns {Record<string, string | undefined>}
 */
export const n8nEnvironment = ({ userFolder, port, brokerPort, customExtensions = [], env }) => ({
	...Object.fromEntries(
		Object.entries(toolEnvironment()).filter(([name]) => !NOT_FOR_THIS.test(name)),
	),
	N8N_USER_FOLDER: userFolder,
	N8N_LISTEN_ADDRESS: process.env.N8N_LISTEN_ADDRESS || '127.0.0.1',
	...(port === undefined
		? {}
		: { N8N_PORT: String(port), N8N_EDITOR_BASE_URL: `http://localhost:${port}` }),
	...(brokerPort === undefined ? {} : { N8N_RUNNERS_BROKER_PORT: String(brokerPort) }),
	...(customExtensions.length > 0 ? { N8N_CUSTOM_EXTENSIONS: customExtensions.join(';') } : {}),
	DB_TYPE: 'sqlite',
	N8N_SECURE_COOKIE: 'false',
	N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS: 'true',
	// No requests to services on the Internet.
	N8N_DIAGNOSTICS_ENABLED: 'false',
	N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
	N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED: 'false',
	N8N_DYNAMIC_BANNERS_ENABLED: 'false',
	N8N_TEMPLATES_ENABLED: 'false',
	N8N_PERSONALIZATION_ENABLED: 'false',
	N8N_HIRING_BANNER_ENABLED: 'false',
	N8N_LICENSE_AUTO_RENEW_ENABLED: 'false',
	N8N_COMMUNITY_PACKAGES_ENABLED: 'false',
	N8N_PYTHON_ENABLED: 'false',
	// By the wall clock: if a busy machine hangs for so long, n8n refuses every request for seconds ("Database is
	// not ready!", 5 s by default), any expression fails (5 s), and so does a Code node (2 s).
	DB_PING_TIMEOUT_MS: '60000',
	N8N_EXPRESSION_ENGINE_TIMEOUT: '60000',
	N8N_RUNNERS_TASK_ACCEPT_TIMEOUT: '60',
	...(process.env.N8N_DEFAULTS === '3' ? DEFAULTS_OF_3 : {}),
	...env,
});

/**
 * Runs one of n8n's commands to its end.
 *
 * @param {N8nInstall} install
 * @param {string[]} args
 * @param {import('../types').N8nEnvironment} options
 * @returns {Promise<import('../types').RunResult>}
 */
export const n8nCommand = async (install, args, options) => {
	mkdirSync(options.userFolder, { recursive: true });
	return await run(node, [install.bin, ...args], {
		// n8n reads a `.env` from the folder it starts in.
		cwd: options.userFolder,
		env: n8nEnvironment({ ...options, brokerPort: options.brokerPort ?? (await freePort()) }),
		// Exit codes mean nothing: import commands exit with 0 also when they fail, and `execute` may crash in a native
		// module at exit, long after it has printed its result. Callers read the output.
		check: false,
	});
};

/**
 * Imports credentials or workflows, which have fixed IDs (of workflows: at most 21 characters): an import replaces entries
 * with the same ID. They go through a private temporary file, since credentials contain keys.
 *
 * @param {N8nInstall} install
 * @param {'credentials' | 'workflows'} what
 * @param {unknown[]} content
 * @param {import('../types').N8nEnvironment} options
 */
export const importInto = async (install, what, content, options) => {
	const command = what === 'workflows' ? 'import:workflow' : 'import:credentials';
	const folder = mkdtempSync(join(tmpdir(), 'local-llama-'));
	const clean = () => rmSync(folder, { recursive: true, force: true });
	const takeBack = onExit(clean);
	try {
		const file = join(folder, 'import.json');
		writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
		const { output } = await n8nCommand(install, [command, `--input=${file}`], options);
		if (!/Successfully imported \d+/.test(output))
			throw new Error(`n8n did not import the ${what}:\n${output.trim()}`);
	} finally {
		clean();
		takeBack();
	}
};

/**
 * Runs a workflow once, without a server. It must start with a Manual Trigger.
 *
 * @param {N8nInstall} install
 * @param {string} id
 * @param {import('../types').N8nEnvironment} options
 * @returns {Promise<import('../types').CliExecution>}
 */
export const executeWorkflow = async (install, id, options) => {
	// Not --rawOutput: n8n prints a failed execution only in its normal output, between log lines.
	const { output } = await n8nCommand(install, ['execute', `--id=${id}`], options);
	const text = output.slice(output.indexOf('===================================='));
	const start = text.indexOf('\n{');
	const end = text.indexOf('\n}', start);
	if (start < 0 || end < 0) throw new Error(`n8n execute printed no execution:\n${output.trim()}`);
	/** @type {import('../types').CliExecution['run']} */
	const execution = JSON.parse(text.slice(start, end + 2));
	const { error } = execution.data.resultData;
	return { success: !error, error, run: execution };
};

/**
 * n8n copies its frontend into the user folder. n8n's lint command reads every script in the clone without exceptions, but
 * does not follow links: so inside the clone that copy becomes a link.
 *
 * @param {string} userFolder
 */
const keepFrontendOutOfClone = (userFolder) => {
	const link = join(userFolder, '.cache');
	if (!userFolder.startsWith(root) || existsSync(link)) return;
	const target = join(cacheDir(), 'frontend', shortHash(userFolder));
	mkdirSync(target, { recursive: true });
	rmSync(link, { force: true });
	symlinkSync(target, link);
};

/**
 * Starts n8n and waits until it responds.
 *
 * @param {N8nInstall} install
 * @param {import('../types').StartN8nOptions} options
 * @returns {Promise<import('../types').N8nServer>}
 */
export const startN8n = async (install, options) => {
	const port = options.port ?? (await freePort());
	const brokerPort = await freePort();
	mkdirSync(options.userFolder, { recursive: true });
	keepFrontendOutOfClone(options.userFolder);
	const service = startService('n8n', node, [install.bin, 'start'], {
		cwd: options.userFolder,
		env: n8nEnvironment({ ...options, port, brokerPort }),
		logFile: options.logFile,
		onLine: options.onLine,
	});
	const url = `http://127.0.0.1:${port}`;
	await waitForService(service, `${url}/healthz/readiness`, { timeoutMs: READY_TIMEOUT_MS });
	const stop = async () => await service.stop(10_000);
	return { ...n8nClient(url), port, userFolder: options.userFolder, service, stop };
};

/**
 * Creates a user folder with a database and the owner `TEST_LOGIN`: n8n starts twice as fast as with an empty folder.
 *
 * @param {N8nInstall} install
 * @param {string} target folder to create
 */
export const copyPreparedUserFolder = async (install, target) => {
	const key = `n8n-data-${install.version}-${shortHash(install.folder, JSON.stringify(TEST_LOGIN))}`;
	const prepared = await cached(key, async (folder) => {
		const server = await startN8n(install, { userFolder: folder });
		try {
			await server.setupOwner(TEST_LOGIN);
		} finally {
			await server.stop();
		}
	});
	if (existsSync(target)) throw new Error(`${target} exists already`);
	// Not copied: n8n writes its frontend there again at every start.
	const frontend = join(prepared, '.cache');
	cpSync(prepared, target, { recursive: true, filter: (source) => source !== frontend });
};
