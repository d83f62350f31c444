/** `npm run dev`: a change of the sources is in the running n8n within a second. */
import { cpSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleNode } from './bundle-node.mjs';
import { cacheDir } from './cache.mjs';
import { toolEnvironment } from './deps.mjs';
import { playgroundData, root, shortHash } from './paths.mjs';
import { run } from './proc.mjs';

const WATCHED = ['credentials', 'icons', 'lib', 'nodes'];
/** Both libraries are bundled into this file; n8n has to be started again after a change of it. */
const BUNDLE = join('lib', 'vendor.ts');
/** Editors write a file in several steps. */
const SETTLE_MS = 50;

/** For n8n: `N8N_DEV_RELOAD` counts in development only, which is what n8n takes for granted without `NODE_ENV`. */
export const DEV_ENVIRONMENT = { N8N_DEV_RELOAD: 'true' };

/** @returns {string} the folder for `N8N_CUSTOM_EXTENSIONS` of this clone's development, always the same */
export const devFolder = () => join(cacheDir(), `dev-${shortHash(root)}`);

/**
 * Puts a fresh build there.
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
 * Brings one source file into the folder: TypeScript without type checks, everything else as it is.
 *
 * @param {string} file relative to the clone
 * @param {string} folder
 * @returns {Promise<boolean>} whether anything was to do
 */
export const updateFile = async (file, folder) => {
	if (!/\.(ts|json|svg)$/.test(file) || file.endsWith('.d.ts') || file === BUNDLE) return false;
	const [, node] = /^nodes[\\/](?!shared[\\/])([^\\/]+)[\\/].*\.ts$/.exec(file) ?? [];
	if (node !== undefined) {
		await bundleNode(node, join(folder, 'dist'));
		return true;
	}
	const source = join(root, file);
	const target = join(folder, 'dist', file.replace(/\.ts$/, '.js'));
	if (!existsSync(source)) {
		rmSync(target, { force: true });
		return true;
	}
	mkdirSync(dirname(target), { recursive: true });
	if (!file.endsWith('.ts')) {
		copyFileSync(source, target);
		return true;
	}
	const { transform } = await import('esbuild');
	const { code } = await transform(readFileSync(source, 'utf8'), {
		loader: 'ts',
		format: 'cjs',
		target: 'es2022',
		sourcefile: source,
	});
	writeFileSync(target, code);
	return true;
};

/**
 * Watches the sources. Types are checked after each change, beside the reload.
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
		/** @type {string[]} */
		const done = [];
		for (const file of files) {
			try {
				if (await updateFile(file, folder)) done.push(file);
				else if (file === BUNDLE) log.line(`  ${file}: start again, since both libraries are bundled into it`);
			} catch (error) {
				log.line(error instanceof Error ? error.message : String(error));
			}
		}
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
