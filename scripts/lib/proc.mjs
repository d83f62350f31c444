/**
 * Child processes that never outlive the script that started them.
 *
 * Every child leads its own process group, so that its descendants (n8n's task runner, ninja's compilers) end with it.
 * Some programs leave that group (Chromium does): on Linux every descendant is also found by a marker in its environment.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, readFileSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const MARK = 'LOCAL_LLAMA_RUN';
const ownMark = `${process.pid}-${randomBytes(6).toString('hex')}`;
const GRACE_MS = 5000;

/** @type {Set<number>} */
const groups = new Set();
/** @type {Set<() => void>} */
const atExit = new Set();
let guarded = false;
let stopping = false;

/**
 * @param {number} pid leader of the group
 * @param {NodeJS.Signals | 0} signal
 * @returns {boolean} whether the group exists
 */
const signalGroup = (pid, signal) => {
	try {
		process.kill(-pid, signal);
		return true;
	} catch {
		return false;
	}
};

/** @returns {number[]} pids of processes with this script's marker in their environment, except the script itself */
const markedProcesses = () => {
	if (process.platform !== 'linux') return [];
	return readdirSync('/proc')
		.map(Number)
		.filter((pid) => pid > 0 && pid !== process.pid)
		.filter((pid) => {
			try {
				return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(ownMark);
			} catch {
				return false;
			}
		});
};

const killEverythingNow = () => {
	for (const pid of groups) signalGroup(pid, 'SIGKILL');
	for (const pid of markedProcesses()) {
		try {
			process.kill(pid, 'SIGKILL');
		} catch {
			// It ended between the listing and the signal.
		}
	}
	groups.clear();
	for (const clean of atExit) clean();
	atExit.clear();
};

/** Ends every child: SIGTERM first, then SIGKILL. */
export const stopAll = async () => {
	for (const pid of groups) signalGroup(pid, 'SIGTERM');
	const deadline = Date.now() + GRACE_MS;
	while ([...groups].some((pid) => signalGroup(pid, 0)) && Date.now() < deadline) await delay(50);
	killEverythingNow();
};

/** @returns {string} the parent process, and its parent if the system tells */
const ancestors = () => {
	const parent = process.ppid;
	try {
		// Fields after the name in parentheses, which may contain anything: state, parent.
		const [, grandparent] = readFileSync(`/proc/${parent}/stat`, 'latin1')
			.replace(/^.*\) /s, '')
			.split(' ');
		return `${parent} ${grandparent}`;
	} catch {
		return String(parent);
	}
};

const guard = () => {
	if (guarded) return;
	guarded = true;
	process.on('exit', killEverythingNow);
	let firstSignalAt = 0;
	/** @param {'SIGINT' | 'SIGTERM' | 'SIGHUP'} signal */
	const end = (signal) => {
		const code = 128 + constants.signals[signal];
		// The terminal and npm both deliver one Ctrl+C, a moment apart: only a later one is a second Ctrl+C.
		if (stopping && Date.now() - firstSignalAt > 1000) process.exit(code);
		if (stopping) return;
		stopping = true;
		firstSignalAt = Date.now();
		void stopAll().finally(() => process.exit(code));
	};
	for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
		process.on(signal, () => end(signal));
	// A SIGTERM for npm (`docker stop`, `timeout`) ends npm or its shell, but does not reach a script below: watch the parents.
	if (process.env.npm_lifecycle_event === undefined) return;
	const before = ancestors();
	const watch = setInterval(() => {
		if (ancestors() === before) return;
		clearInterval(watch);
		end('SIGTERM');
	}, 500);
	watch.unref();
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
 * @param {import('./types').SpawnOptions} options
 */
const start = (command, args, { cwd, env = process.env, stdin = 'ignore', uid, gid }) => {
	guard();
	const inherited = env[MARK] ?? process.env[MARK];
	const child = spawn(command, args, {
		cwd,
		env: { ...env, [MARK]: inherited ? `${inherited},${ownMark}` : ownMark },
		detached: true,
		uid,
		gid,
		stdio: [stdin, 'pipe', 'pipe'],
	});
	const { pid } = child;
	if (pid !== undefined) groups.add(pid);
	// A surviving grandchild would hold the pipes open, and `close` would never come.
	child.once('exit', () => setTimeout(() => forget(child), 500).unref());
	return child;
};

/**
 * Ends the remaining processes of a group.
 *
 * @param {import('node:child_process').ChildProcess} child leader of the group, which has ended
 */
const forget = (child) => {
	if (child.pid === undefined || !groups.has(child.pid)) return;
	signalGroup(child.pid, 'SIGKILL');
	groups.delete(child.pid);
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
 * @param {import('./types').RunOptions} [options]
 * @returns {Promise<import('./types').RunResult>}
 * @throws {CommandError} on a non-zero exit code, unless `check` is false
 */
export const run = async (command, args, options = {}) => {
	const { onLine, check = true, timeoutMs } = options;
	const child = start(command, args, options);
	let stdout = '';
	let output = '';
	/** @param {import('node:stream').Readable | null} stream */
	const follow = (stream) => {
		stream?.setEncoding('utf8');
		stream?.on('data', (/** @type {string} */ text) => {
			if (stream === child.stdout) stdout += text;
			output += text;
		});
		if (!stream || !onLine) return;
		createInterface({ input: stream }).on('line', (line) => {
			if (line.trim()) onLine(line.trimEnd());
		});
	};
	follow(child.stdout);
	follow(child.stderr);
	let timedOut = false;
	const timer = timeoutMs
		? setTimeout(() => {
				timedOut = true;
				if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
			}, timeoutMs)
		: undefined;
	/** @type {{ code: number, failure?: string }} */
	const end = await new Promise((resolve) => {
		child.once('error', (error) => resolve({ code: 127, failure: error.message }));
		child.once('close', (code, signal) => {
			if (code !== null) return resolve({ code });
			resolve({
				code: 128 + (signal ? constants.signals[signal] : 0),
				failure: `ended by ${signal}`,
			});
		});
	});
	clearTimeout(timer);
	forget(child);
	const result = { code: end.code, stdout, output };
	if (end.code === 0 || !check) return result;
	const reason = timedOut
		? `took longer than ${timeoutMs} ms`
		: (end.failure ?? `exit code ${end.code}`);
	const said = lastLines(output, 25);
	throw new CommandError(
		`${[command, ...args].join(' ')}: ${reason}${said ? `\n${said}` : ''}`,
		output,
		end.code,
	);
};

/**
 * Starts a server and leaves it running until `stop()` or the end of this script.
 *
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 * @param {import('./types').ServiceOptions} [options]
 * @returns {import('./types').Service}
 */
export const startService = (name, command, args, options = {}) => {
	const child = start(command, args, options);
	const file = options.logFile
		? createWriteStream(options.logFile, { flags: 'a', mode: 0o600 })
		: undefined;
	/** @type {string[]} */
	const lines = [];
	for (const stream of [child.stdout, child.stderr]) {
		if (!stream) continue;
		createInterface({ input: stream }).on('line', (line) => {
			lines.push(line);
			if (lines.length > 5000) lines.splice(0, 1000);
			file?.write(`${line}\n`);
			options.onLine?.(line);
		});
	}
	/** @type {{ ended: boolean, reason: string }} */
	const state = { ended: false, reason: '' };
	/** @type {Promise<number>} */
	const exited = new Promise((resolve) => {
		child.once('error', (error) => {
			Object.assign(state, { ended: true, reason: error.message });
			resolve(127);
		});
		child.once('close', (code, signal) => {
			Object.assign(state, {
				ended: true,
				reason: signal ? `ended by ${signal}` : `exit code ${code}`,
			});
			forget(child);
			file?.end();
			resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
		});
	});
	return {
		name,
		pid: child.pid ?? 0,
		lines,
		exited,
		get running() {
			return !state.ended;
		},
		get endReason() {
			return state.reason;
		},
		kill: (signal) => {
			if (child.pid !== undefined) signalGroup(child.pid, signal);
		},
		stop: async (graceMs = GRACE_MS) => {
			if (child.pid === undefined || state.ended) return;
			signalGroup(child.pid, 'SIGTERM');
			const timer = setTimeout(
				() => child.pid !== undefined && signalGroup(child.pid, 'SIGKILL'),
				graceMs,
			);
			await exited;
			clearTimeout(timer);
		},
	};
};

/**
 * @param {number} pid
 * @param {'VmRSS' | 'VmHWM'} field of Linux's /proc
 */
const memoryOf = (pid, field) => {
	try {
		const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
			readFileSync(`/proc/${pid}/status`, 'utf8'),
		)?.[1];
		return Number(kilobytes ?? 0) * 1024;
	} catch {
		return 0;
	}
};

/**
 * @param {number} pid
 * @returns {number} resident memory in bytes of the process, 0 where the system does not tell
 */
export const residentBytes = (pid) => memoryOf(pid, 'VmRSS');

/**
 * @param {number} pid
 * @returns {number} the most resident memory in bytes that the process ever had, 0 where the system does not tell
 */
export const peakBytes = (pid) => memoryOf(pid, 'VmHWM');
