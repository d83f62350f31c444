/** `npm run dev`: brings a change of the sources into the running n8n within a second. */
import {
	cpSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	readFileSync,
	rmSync,
	watch,
	writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleNode } from './bundle-node.mjs';
import { cacheDir } from './cache.mjs';
import { toolEnvironment } from './deps.mjs';
import { playgroundData, root, shortHash } from './paths.mjs';
import { run } from './proc.mjs';

const WATCHED = ['credentials', 'icons', 'lib', 'nodes'];
/** Bundles both libraries; n8n must be restarted after a change of it. */
const BUNDLE = join('lib', 'vendor.ts');
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
 * Updates one source file in the folder: TypeScript is compiled without type checks, other files are copied.
 *
 * @param {string} file relative to the clone
 * @param {string} folder
 * @returns {Promise<boolean>} whether anything changed
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
		/** @type {string[]} */
		const done = [];
		for (const file of files) {
			try {
				if (await updateFile(file, folder)) done.push(file);
				else if (file === BUNDLE)
					log.line(`  ${file}: start again, since both libraries are bundled into it`);
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
