import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone's folder, without a trailing separator. */
export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** Generated data of this clone, which can be deleted. Git ignores it. */
export const playgroundData = join(root, '.playground');

/** Data that `npm start` keeps between runs: n8n's data, the login, logs. */
export const startData = resolve(process.env.LOCAL_LLAMA_DATA || playgroundData);

/**
 * @template T
 * @param {string} file
 * @returns {T}
 */
export const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/**
 * @template T
 * @param {string} file
 * @returns {T | undefined} nothing when the file is missing or is not JSON
 */
export const readJsonIfThere = (file) => {
	try {
		return readJson(file);
	} catch {
		return undefined;
	}
};

/**
 * @param {...(string | Buffer)} parts
 * @returns {string} the first 12 hexadecimal digits of the SHA-256: enough to name a version in a cache
 */
export const shortHash = (...parts) => {
	const hash = createHash('sha256');
	for (const part of parts) hash.update(part).update('\0');
	return hash.digest('hex').slice(0, 12);
};

/**
 * @param {string} path a file or folder; a missing one yields nothing
 * @returns {string[]} every file below it, sorted
 */
export const filesBelow = (path) => {
	const entry = statSync(path, { throwIfNoEntry: false });
	if (!entry?.isDirectory()) return entry ? [path] : [];
	return readdirSync(path)
		.sort()
		.flatMap((name) => filesBelow(join(path, name)));
};

/**
 * @param {string[]} paths files and folders of the clone; names and contents both count
 * @returns {string}
 */
export const hashOfFiles = (paths) => {
	const files = paths.flatMap(filesBelow);
	return shortHash(...files.flatMap((file) => [file.slice(root.length), readFileSync(file)]));
};
