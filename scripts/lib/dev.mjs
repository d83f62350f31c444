/** `npm run dev`: brings a change of the sources into the running n8n within a second. */
import { cpSync, copyFileSync, existsSync, mkdirSync, rmSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleLibraries, bundleOwnCode } from './bundle.mjs';
import { cacheDir } from './cache.mjs';
import { toolEnvironment } from './deps.mjs';
import { playgroundData, root, shortHash } from './paths.mjs';
import { run } from './proc.mjs';

const WATCHED = ['credentials', 'icons', 'lib', 'nodes'];
const LIBRARIES = join('lib', 'vendor.ts');
/** Debounce: editors write a file in several steps. */
const SETTLE_MS = 50;

/** n8n reads `N8N_DEV_RELOAD` in development mode only, its default without `NODE_ENV`. */
export const DEV_ENVIRONMENT = { N8N_DEV_RELOAD: 'true' };

/** @returns {string} the folder for `N8N_CUSTOM_EXTENSIONS` of this clone's development, always the same */
export const devFolder = () => join(cacheDir(), `dev-${shortHash(root)}`);

/**
 * Copies a fresh build into `devFolder()`.
 *
 * @returns {string}
 */
export const stageDev = () => {
	const folder = devFolder();
	rmSync(folder, { recursive: true, force: true });
	// n8n lists this folder before it watches, and gives up without it.
	mkdirSync(join(folder, 'node_modules'), { recursive: true });
	copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
	cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
	return folder;
};

/**
 * Brings changed source files into the folder: TypeScript is bundled without type checks, other files are copied.
 *
 * @param {string[]} files relative to the clone
 * @param {string} folder
 * @returns {Promise<string[]>} the files that the package contains
 */
export const updateFiles = async (files, folder) => {
	const dist = join(folder, 'dist');
	const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
	const others = files.filter((file) => /\.(json|svg)$/.test(file));
	if (sources.includes(LIBRARIES)) await bundleLibraries(dist);
	if (sources.length > 0) await bundleOwnCode(dist);
	for (const file of others) copyOrRemove(join(root, file), join(dist, file));
	return [...sources, ...others];
};

/** @param {string} source @param {string} target */
const copyOrRemove = (source, target) => {
	if (!existsSync(source)) return rmSync(target, { force: true });
	mkdirSync(dirname(target), { recursive: true });
	copyFileSync(source, target);
};

/**
 * Watches the sources. Types are checked after each change, in parallel with the reload.
 *
 * @param {import('./types').Log} log
 * @param {string} folder
 */
export const watchSources = (log, folder) => {
	/** @type {Set<string>} */
	const changed = new Set();
	/** @type {NodeJS.Timeout | undefined} */
	let timer;
	let checking = false;

	const check = async () => {
		if (checking) return;
		checking = true;
		const tsc = join(root, 'node_modules', '.bin', 'tsc');
		const { code, stdout } = await run(
			tsc,
			['--noEmit', '--incremental', '--tsBuildInfoFile', join(playgroundData, 'types.tsbuildinfo')],
			{
				cwd: root,
				env: toolEnvironment(),
				check: false,
			},
		);
		checking = false;
		log.line(code === 0 ? '  types: no errors' : stdout.trim());
	};

	const update = async () => {
		const startedAt = Date.now();
		const files = [...changed];
		changed.clear();
		const done = await updateFiles(files, folder).catch((error) => {
			log.line(error instanceof Error ? error.message : String(error));
			return [];
		});
		if (done.length === 0) return;
		log.line(`  ${done.join(', ')}: built in ${Date.now() - startedAt} ms`);
		void check();
	};

	for (const part of WATCHED) {
		watch(join(root, part), { recursive: true }, (_event, name) => {
			if (name === null) return;
			changed.add(join(part, name));
			clearTimeout(timer);
			timer = setTimeout(() => void update(), SETTLE_MS);
		});
	}
};
