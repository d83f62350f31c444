/**
 * The cache of large parts (an installed n8n, a built llama-server, a downloaded model), outside the clone, shared by all
 * clones. A part is built in a temporary folder and renamed when it is complete, so that an interrupted build never leaves
 * a broken one.
 */
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onExit } from './processes.mjs';

/** @returns {string} the cache's folder, created if missing */
export const cacheDir = () => {
	const { LOCAL_LLAMA_CACHE, XDG_CACHE_HOME } = process.env;
	const folder =
		LOCAL_LLAMA_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'n8n-nodes-local-llama');
	mkdirSync(folder, { recursive: true });
	return folder;
};

/** @param {string} file of a lock @returns {number} the process that holds it; 0 if it is not held */
const readHolder = (file) => {
	try {
		const pid = Number(readFileSync(file, 'utf8'));
		process.kill(pid, 0);
		return pid;
	} catch {
		return 0;
	}
};

/** @param {string} file @returns {boolean} whether this process holds the lock now */
const takeLock = (file) => {
	try {
		writeFileSync(file, String(process.pid), { flag: 'wx' });
		return true;
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
		return false;
	}
};

/**
 * Runs `work` while no other process runs it for the same lock file.
 *
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {(holder: number) => void} [onWait] called when another process holds the lock
 * @returns {Promise<T>}
 */
export const withLock = async (file, work, onWait) => {
	while (!takeLock(file)) {
		const holder = readHolder(file);
		if (holder === 0) {
			// Its holder may be writing it at this moment.
			await delay(500);
			if (readHolder(file) === 0) rmSync(file, { force: true });
			continue;
		}
		onWait?.(holder);
		await delay(200);
	}
	const release = () => rmSync(file, { force: true });
	const takeBack = onExit(release);
	try {
		return await work();
	} finally {
		takeBack();
		release();
	}
};

/**
 * Returns the folder of a part, and builds it first if it is missing.
 *
 * @param {string} key names the part and its version; a folder of that name appears in the cache
 * @param {(folder: string) => Promise<void>} build fills the empty folder it is given
 * @param {string} [folder] of the cache
 * @returns {Promise<string>}
 */
export const cached = async (key, build, folder = cacheDir()) => {
	const target = join(folder, key);
	const locks = join(folder, '.locks');
	mkdirSync(locks, { recursive: true });
	return await withLock(join(locks, `${key}.lock`), async () => {
		if (existsSync(target)) return target;
		const unfinished = mkdtempSync(join(folder, '.building-'));
		const remove = () => rmSync(unfinished, { recursive: true, force: true });
		const takeBack = onExit(remove);
		try {
			await build(unfinished);
			renameSync(unfinished, target);
		} finally {
			takeBack();
			remove();
		}
		return target;
	});
};
