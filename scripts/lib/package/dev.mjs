/** `npm run dev`: brings a change of the sources into the running n8n within a second. */
import { copyFileSync, existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { bundleLibraries, bundleOwnCode } from './bundle.mjs';
import { root } from '../system/paths.mjs';

const WATCHED = ['credentials', 'icons', 'lib', 'nodes'];
/** Debounce: editors write a file in several steps. */
const SETTLE_MS = 50;

/** n8n reads `N8N_DEV_RELOAD` in development mode only, its default without `NODE_ENV`. */
export const DEV_ENVIRONMENT = { N8N_DEV_RELOAD: 'true' };

/**
 * Brings each changed source into the folder: TypeScript is bundled without type checks, other files are copied.
 *
 * @param {import('../types').Log} log
 * @param {string} folder
 */
export const watchSources = (log, folder) => {
	const dist = join(folder, 'dist');
	/** @type {Set<string>} */
	const changed = new Set();
	/** @type {NodeJS.Timeout | undefined} */
	let timer;

	const update = async () => {
		const startedAt = Date.now();
		const files = [...changed];
		changed.clear();
		try {
			if (files.includes(join('lib', 'vendor.ts'))) await bundleLibraries(dist);
			if (files.some((file) => file.endsWith('.ts'))) await bundleOwnCode(dist);
			for (const file of files.filter((name) => /\.(json|svg)$/.test(name)))
				if (existsSync(join(root, file))) copyFileSync(join(root, file), join(dist, file));
			log.line(`  ${files.join(', ')}: built in ${Date.now() - startedAt} ms`);
		} catch (error) {
			log.line(error instanceof Error ? error.message : String(error));
		}
	};

	for (const part of WATCHED)
		watch(join(root, part), { recursive: true }, (_event, name) => {
			if (name === null) return;
			changed.add(join(part, name));
			clearTimeout(timer);
			timer = setTimeout(() => void update(), SETTLE_MS);
		});
};
