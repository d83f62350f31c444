/**
 * Child processes that never outlive the script that started them. Every child leads its own process group, so that its
 * descendants (n8n's task runner, ninja's compilers) end with it.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const GRACE_MS = 5000;

/** @type {Set<number>} */
const groups = new Set();
/** @type {Set<() => void>} */
const atExit = new Set();
let guarded = false;
let stopping = false;

/**
 * @param {number | undefined} pid leader of the group
 * @param {NodeJS.Signals | 0} signal
 * @returns {boolean} whether the group exists
 */
const signalGroup = (pid, signal) => {
	try {
		return pid !== undefined && process.kill(-pid, signal);
	} catch {
		return false;
	}
};

const killEverythingNow = () => {
	for (const pid of groups) signalGroup(pid, 'SIGKILL');
	groups.clear();
	for (const clean of atExit) clean();
	atExit.clear();
};

/** Ends every child: SIGTERM first, then SIGKILL. */
const stopAll = async () => {
	for (const pid of groups) signalGroup(pid, 'SIGTERM');
	const deadline = Date.now() + GRACE_MS;
	while ([...groups].some((pid) => signalGroup(pid, 0)) && Date.now() < deadline) await delay(50);
	killEverythingNow();
};

const guard = () => {
	if (guarded) return;
	guarded = true;
	process.on('exit', killEverythingNow);
	let firstSignalAt = 0;
	for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
		process.on(signal, () => {
			const code = 128 + constants.signals[signal];
			// The terminal and npm both deliver one Ctrl+C, a moment apart: only a later one is a second Ctrl+C.
			if (stopping && Date.now() - firstSignalAt > 1000) process.exit(code);
			if (stopping) return;
			stopping = true;
			firstSignalAt = Date.now();
			void stopAll().finally(() => process.exit(code));
		});
};

/**
 * @param {() => void} clean called when the script ends, in any way; must be synchronous
 * @returns {() => void} removes the handler
 */
export const onExit = (clean) => {
	guard();
	atExit.add(clean);
	return () => atExit.delete(clean);
};

/** @returns {boolean} whether a signal is already ending this script */
export const isStopping = () => stopping;

/**
 * @param {string} command
 * @param {string} [path]
 * @returns {string | undefined} path of the executable
 */
export const findOnPath = (command, path = process.env.PATH ?? '') =>
	path
		.split(delimiter)
		.filter(Boolean)
		.map((folder) => join(folder, command))
		.find((file) => existsSync(file));

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import('../types').SpawnOptions} options
 */
const start = (command, args, { cwd, env = process.env, uid, gid }) => {
	guard();
	const stdio = /** @type {['ignore', 'pipe', 'pipe']} */ (['ignore', 'pipe', 'pipe']);
	const child = spawn(command, args, { cwd, env, uid, gid, detached: true, stdio });
	if (child.pid !== undefined) groups.add(child.pid);
	// A surviving grandchild would hold the pipes open, and `close` would never come.
	child.once('exit', () => setTimeout(() => forget(child), 500).unref());
	return child;
};

/**
 * Ends the remaining processes of a group.
 *
 * @param {import('node:child_process').ChildProcess} child leader of the group, which has ended
 */
const forget = ({ pid }) => {
	if (pid === undefined || !groups.delete(pid)) return;
	signalGroup(pid, 'SIGKILL');
};

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<{ code: number, reason: string }>} how it ended, after its last output
 */
const waitForExit = async (child) =>
	await new Promise((resolve) => {
		child.once('error', ({ message }) => resolve({ code: 127, reason: message }));
		child.once('close', (code, signal) => {
			forget(child);
			if (signal === null) return resolve({ code: code ?? 1, reason: `exit code ${code}` });
			resolve({ code: 128 + constants.signals[signal], reason: `ended by ${signal}` });
		});
	});

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {(line: string) => void} onLine called with each line of both streams
 */
const readLines = (child, onLine) => {
	for (const input of [child.stdout, child.stderr])
		if (input) createInterface({ input }).on('line', onLine);
};

/** A command exited with a code other than 0. `output`: what it printed. */
export class CommandError extends Error {
	/**
	 * @param {string} message
	 * @param {string} output
	 * @param {number} code
	 */
	constructor(message, output, code) {
		super(message);
		this.name = 'CommandError';
		this.output = output;
		this.code = code;
	}
}

/**
 * @param {string} text
 * @param {number} lines
 */
export const lastLines = (text, lines) => text.trimEnd().split('\n').slice(-lines).join('\n');

/**
 * Runs a command to its end.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('../types').RunOptions} [options]
 * @returns {Promise<import('../types').RunResult>}
 * @throws {CommandError} on a non-zero exit code, unless `check` is false
 */
export const run = async (command, args, options = {}) => {
	const { onLine, check = true } = options;
	const child = start(command, args, options);
	let stdout = '';
	let output = '';
	child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
		stdout += text;
		output += text;
	});
	child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
		output += text;
	});
	if (onLine) readLines(child, (line) => line.trim() && onLine(line.trimEnd()));
	const { code, reason } = await waitForExit(child);
	if (code === 0 || !check) return { code, stdout, output };
	const title = `${[command, ...args].join(' ')}: ${reason}`;
	throw new CommandError(`${title}\n${lastLines(output, 25)}`.trimEnd(), output, code);
};

/**
 * Starts a server and leaves it running until `stop()` or the end of this script.
 *
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 * @param {import('../types').ServiceOptions} [options]
 * @returns {import('../types').Service}
 */
export const startService = (name, command, args, options = {}) => {
	const child = start(command, args, options);
	const file = options.logFile
		? createWriteStream(options.logFile, { flags: 'a', mode: 0o600 })
		: undefined;
	/** @type {string[]} */
	const lines = [];
	readLines(child, (line) => {
		lines.push(line);
		if (lines.length > 5000) lines.splice(0, 1000);
		file?.write(`${line}\n`);
		options.onLine?.(line);
	});
	/** @type {string | undefined} */
	let endReason;
	const exited = waitForExit(child).then(({ code, reason }) => {
		endReason = reason;
		file?.end();
		return code;
	});
	return {
		name,
		pid: child.pid ?? 0,
		lines,
		exited,
		get running() {
			return endReason === undefined;
		},
		get endReason() {
			return endReason ?? '';
		},
		kill: (signal) => void signalGroup(child.pid, signal),
		stop: async (graceMs = GRACE_MS) => {
			if (endReason !== undefined) return;
			signalGroup(child.pid, 'SIGTERM');
			const timer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), graceMs);
			await exited;
			clearTimeout(timer);
		},
	};
};
