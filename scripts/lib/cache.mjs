/**
 * The cache of large parts (an installed n8n, a built llama-server, a downloaded model), outside the clone, shared by all
 * clones.
 *
 * A part is built in a temporary folder and renamed when it is complete: an interrupted build never leaves a broken part.
 */
import { randomBytes } from 'node:crypto';
import {
	copyFileSync,
	existsSync,
	linkSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import { homedir, hostname, tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onExit } from './proc.mjs';

const BEAT_MS = 5000;
const DEAD_AFTER_MS = 60_000;
const POLL_MS = 200;
const UNFINISHED = '.building-';
/** Age after which an interrupted build is removed: no build takes a day. */
const FORGOTTEN_AFTER_MS = 24 * 60 * 60_000;

/** @returns {string} the home folder, also when `HOME` is not set, as in some CI systems */
const home = () => {
	const fromEnvironment = process.env.HOME || process.env.USERPROFILE;
	if (fromEnvironment) return fromEnvironment;
	try {
		return userInfo().homedir || homedir();
	} catch {
		return tmpdir();
	}
};

/** @returns {string} the cache's folder, created when missing */
export const cacheDir = () => {
	const { LOCAL_LLAMA_CACHE, XDG_CACHE_HOME } = process.env;
	const folder =
		LOCAL_LLAMA_CACHE || join(XDG_CACHE_HOME || join(home(), '.cache'), 'n8n-nodes-local-llama');
	mkdirSync(folder, { recursive: true });
	return folder;
};

/**
 * @param {string} text content of a lock file
 * @param {string} file
 * @returns {boolean} whether its holder no longer runs
 */
const isStale = (text, file) => {
	const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
	if (age > DEAD_AFTER_MS) return true;
	try {
		const { pid, host } = JSON.parse(text);
		// In another container that shares the cache the pid means another process: there only the heartbeat counts.
		if (host !== hostname()) return false;
		process.kill(pid, 0);
		return false;
	} catch (error) {
		const code = error && typeof error === 'object' && 'code' in error ? error.code : undefined;
		if (code === 'ESRCH') return true;
		if (code === 'EPERM') return false;
		// Unreadable: its owner may be writing it at this moment.
		return age > 2000;
	}
};

/**
 * Removes a stale lock, unless another process replaced it in between.
 *
 * @param {string} file
 * @param {string} expected the content that was found stale
 */
const removeStale = (file, expected) => {
	const aside = `${file}.${randomBytes(4).toString('hex')}`;
	try {
		renameSync(file, aside);
	} catch {
		return;
	}
	if (readFileSync(aside, 'utf8') !== expected) {
		try {
			linkSync(aside, file);
		} catch {
			// A third process holds it now.
		}
	}
	unlinkSync(aside);
};

/**
 * Runs `work` while no other process runs it for the same lock file.
 *
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {(holder: number | undefined) => void} [onWait] called once when another process holds the lock
 * @returns {Promise<T>}
 */
export const withLock = async (file, work, onWait) => {
	const mine = JSON.stringify({
		pid: process.pid,
		host: hostname(),
		nonce: randomBytes(6).toString('hex'),
	});
	let told = false;
	for (;;) {
		try {
			writeFileSync(file, mine, { flag: 'wx' });
			break;
		} catch (error) {
			if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
		}
		let text;
		try {
			text = readFileSync(file, 'utf8');
		} catch {
			continue;
		}
		if (isStale(text, file)) {
			removeStale(file, text);
			continue;
		}
		if (!told) {
			told = true;
			onWait?.(Number(/"pid":(\d+)/.exec(text)?.[1]) || undefined);
		}
		await delay(POLL_MS);
	}
	const release = () => {
		try {
			if (readFileSync(file, 'utf8') === mine) unlinkSync(file);
		} catch {
			// Another process considered the lock stale and holds it now.
		}
	};
	const takeBack = onExit(release);
	const beat = setInterval(() => {
		try {
			utimesSync(file, new Date(), new Date());
		} catch {
			// As above.
		}
	}, BEAT_MS);
	beat.unref();
	try {
		return await work();
	} finally {
		clearInterval(beat);
		takeBack();
		release();
	}
};

/**
 * Removes what interrupted builds left: of this part, whose lock is held, and, after a day, of others too, since their
 * version may never be built again.
 *
 * @param {string} dir
 * @param {string} key
 */
const removeInterrupted = (dir, key) => {
	for (const name of readdirSync(dir)) {
		if (!name.startsWith(UNFINISHED)) continue;
		const folder = join(dir, name);
		const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0);
		const forgotten = age > FORGOTTEN_AFTER_MS;
		if (name.startsWith(`${UNFINISHED}${key}-`) || forgotten)
			rmSync(folder, { recursive: true, force: true });
	}
};

/**
 * Returns the folder of a part, and builds it first if it is missing.
 *
 * @param {string} key names the part and its version; a folder of that name appears in the cache
 * @param {(folder: string) => Promise<void>} build fills the empty folder it is given
 * @param {{ dir?: string, onWait?: (holder: number | undefined) => void }} [options]
 * @returns {Promise<string>}
 */
export const cached = async (key, build, { dir = cacheDir(), onWait } = {}) => {
	const target = join(dir, key);
	if (existsSync(target)) return target;
	mkdirSync(join(dir, '.locks'), { recursive: true });
	return await withLock(
		join(dir, '.locks', `${key}.lock`),
		async () => {
			if (existsSync(target)) return target;
			removeInterrupted(dir, key);
			const folder = join(
				dir,
				`${UNFINISHED}${key}-${process.pid}-${randomBytes(3).toString('hex')}`,
			);
			mkdirSync(folder);
			try {
				await build(folder);
				renameSync(folder, target);
			} finally {
				rmSync(folder, { recursive: true, force: true });
			}
			return target;
		},
		onWait,
	);
};

/**
 * Runs a tool that keeps in a file what it found of unchanged files. A new clone, and a clone in which the tool failed,
 * begins with the file of the last success.
 *
 * @param {string} file
 * @param {() => Promise<void>} work
 * @param {{ dir?: string }} [options]
 */
export const withKeptFile = async (file, work, { dir = cacheDir() } = {}) => {
	const kept = join(dir, basename(file));
	if (!existsSync(file) && existsSync(kept)) {
		mkdirSync(dirname(file), { recursive: true });
		copyFileSync(kept, file);
	}
	try {
		await work();
	} catch (error) {
		// TypeScript goes on reporting some errors from it that were mended since.
		rmSync(file, { force: true });
		throw error;
	}
	const copy = join(dir, `${UNFINISHED}${basename(file)}-${process.pid}`);
	copyFileSync(file, copy);
	renameSync(copy, kept);
};
