/**
 * Bundles the package: `index.js` has the package's own code, `vendor.js` the libraries, and n8n finds each node and
 * credential in a small file.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { root } from '../system/paths.mjs';

/** @typedef {import('esbuild').BuildOptions} BuildOptions */
/** @typedef {import('esbuild').BuildResult<{ metafile: true }>} BuildResult */

/** @type {BuildOptions} */
const COMMON = {
	bundle: true,
	platform: 'node',
	format: 'cjs',
	target: 'node22',
	legalComments: 'none',
	absWorkingDir: root,
};

/** Keeps a module out of a bundle. @param {RegExp} filter @param {string} path of the `require` that replaces it */
const external = (filter, path) => ({
	name: 'external',
	/** @param {import('esbuild').PluginBuild} build */
	setup(build) {
		build.onResolve({ filter }, () => ({ path, external: true }));
	},
});

/**
 * Modules that undici imports but that are not needed here: HTTP/2 (off in `lib/http/dispatcher.ts`), SOCKS proxies
 * (n8n's HTTP Request does not support them either), FormData bodies, and the parser's SIMD build, without which undici uses the
 * other one. They are a quarter of the package.
 */
const UNUSED_OF_UNDICI =
	/[\\/]undici[\\/]lib[\\/](?:dispatcher[\\/](?:client-h2|socks5-proxy-agent)|web[\\/](?:fetch[\\/](?:body|formdata)|webidl[\\/]index)|llhttp[\\/]llhttp_simd-wasm)\.js$/;

const withoutUnused = {
	name: 'without-unused',
	/** @param {import('esbuild').PluginBuild} build */
	setup(build) {
		build.onLoad({ filter: UNUSED_OF_UNDICI }, ({ path }) => ({
			contents: `module.exports = function () { throw new Error('${basename(path)} of undici is not in this package'); };`,
		}));
		// undici reads only these two tables of the parser (others: methods, statuses, types of characters).
		build.onLoad({ filter: /[\\/]undici[\\/]lib[\\/]llhttp[\\/]constants\.js$/ }, ({ path }) => {
			const { ERROR, TYPE } = createRequire(path)(path);
			return { contents: `module.exports = ${JSON.stringify({ ERROR, TYPE })};` };
		});
	},
};

/** @returns {string[]} paths of the nodes and credentials in the package, `dist/nodes/…/….node.js` */
const entries = () => {
	const { n8n } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
	return [...n8n.nodes, ...n8n.credentials];
};

/** @param {string} entry @returns {string} its source, relative to the clone */
const toSourcePath = (entry) => relative('dist', entry).replace(/\.js$/, '.ts');

/**
 * @param {string} dist folder of the build
 * @returns {Promise<BuildResult>} what the bundle contains
 */
export const bundleOwnCode = async (dist) => {
	const { build } = await import('esbuild');
	return await build({
		...COMMON,
		stdin: {
			contents: entries()
				.map((entry) => `export * from './${toSourcePath(entry)}';`)
				.join('\n'),
			resolveDir: root,
			loader: 'ts',
		},
		outfile: join(dist, 'index.js'),
		// Names stay, for stack traces.
		minifySyntax: true,
		minifyWhitespace: true,
		packages: 'external',
		plugins: [external(/\/vendor$/, './vendor.js')],
		metafile: true,
	});
};

/**
 * @param {string} dist folder of the build
 * @returns {Promise<BuildResult>} what the bundle contains
 */
export const bundleLibraries = async (dist) => {
	const { build } = await import('esbuild');
	return await build({
		...COMMON,
		entryPoints: ['lib/vendor.ts'],
		minify: true,
		outfile: join(dist, 'vendor.js'),
		// As in Node's own build of undici, which leaves out the experimental parser Milo.
		define: { esbuildDetection: 'true' },
		plugins: [withoutUnused],
		metafile: true,
	});
};

/**
 * Writes the files that n8n loads by path. Each exports the class after which it is named.
 *
 * @param {string} dist folder of the build
 */
export const writeEntries = (dist) => {
	for (const entry of entries()) {
		const file = join(dist, relative('dist', entry));
		const name = basename(file).split('.')[0];
		const bundle = relative(dirname(file), join(dist, 'index.js')).replaceAll('\\', '/');
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, `exports.${name} = require('${bundle}').${name};\n`);
	}
};
