const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { dest, parallel, series, src } = require('gulp');

const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');

async function clean() {
	await fs.promises.rm('dist', { recursive: true, force: true });
}

/** Type check and CommonJS output of credentials, nodes and lib, file by file, so that stack traces stay readable. */
async function compile() {
	execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
}

/**
 * The parts of undici that nothing here uses: fetch, WebSocket, caches, mocks, interceptors, HTTP/2 (off by default), pools
 * that balance, pipelining. Its index loads all of them, a third of the bundle.
 */
const UNUSED_OF_UNDICI =
	/[\\/]undici[\\/]lib[\\/](?:web[\\/](?:websocket|eventsource|cache|cookies)[\\/]|mock[\\/]|cache[\\/]|interceptor[\\/]|web[\\/]fetch[\\/](?:index|request|response|formdata|headers|formdata-parser)\.js$|handler[\\/](?:cache-|deduplication-|retry-|redirect-)|dispatcher[\\/](?:client-h2|h2c-client|balanced-pool|round-robin-pool|retry-agent)\.js$|api[\\/]api-(?:pipeline|stream|upgrade)\.js$)/;

/** In their place: something that can be taken apart, called with `new` and extended while the index loads. */
const leaveOut = {
	name: 'leave-out',
	setup(build) {
		build.onLoad({ filter: UNUSED_OF_UNDICI }, () => ({
			contents: 'module.exports = new Proxy(class {}, { get: () => class {} });',
			loader: 'js',
		}));
	},
};

/** The libraries of `lib/vendor.ts` in one shared, minified file in place of the compiled `lib/vendor.js`. */
async function bundle() {
	await require('esbuild').build({
		entryPoints: ['lib/vendor.ts'],
		outfile: 'dist/lib/vendor.js',
		allowOverwrite: true,
		bundle: true,
		minify: true,
		// undici finds its own classes by name.
		keepNames: true,
		platform: 'node',
		format: 'cjs',
		target: 'node20',
		legalComments: 'none',
		plugins: [leaveOut],
	});
	const names = [
		'undici',
		'eventsource-parser',
		'@eslint-community/regexpp',
		'@cfworker/json-schema',
		'd3-array',
		'd3-shape',
		'd3-time',
		're2js',
		// What these bring along.
		'd3-path',
		'internmap',
	];
	const licences = names.map((name) => {
		const folder = path.join('node_modules', name);
		const { version, license, author, homepage } = JSON.parse(
			fs.readFileSync(path.join(folder, 'package.json'), 'utf8'),
		);
		const file = path.join(folder, 'LICENSE');
		// @cfworker/json-schema has no copy of its licence in the package.
		const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : `Copyright ${author}\n${homepage}`;
		return `${name} ${version} (${license})\n\n${text}\n`;
	});
	await fs.promises.writeFile(
		'dist/THIRD-PARTY-LICENSES.txt',
		`This package carries inside (lib/vendor.js):\n\n${licences.join('\n---\n\n')}`,
	);
}

function icons() {
	return src('icons/*.svg', { encoding: false }).pipe(dest('dist/icons'));
}

/** The codex of each node: n8n reads it from here when the nodes are loaded from a custom folder. */
function nodeJson() {
	return src('nodes/**/*.node.json', { base: '.' }).pipe(dest('dist'));
}

/**
 * The example workflows in both forms: with the prefix of a package installed from n8n's interface, and with `CUSTOM.` for nodes
 * loaded from ~/.n8n/custom or N8N_CUSTOM_EXTENSIONS. A workflow of the one form shows unknown nodes under the other.
 * Compact, which keeps the package below its 600 kB; `workflows/` has them to read.
 */
async function workflows() {
	const files = (await fs.promises.readdir('workflows')).filter((file) => file.endsWith('.json'));
	await fs.promises.mkdir('dist/workflows/custom', { recursive: true });
	for (const file of files) {
		const text = JSON.stringify(JSON.parse(await fs.promises.readFile(path.join('workflows', file), 'utf8')));
		await fs.promises.writeFile(path.join('dist/workflows', file), text);
		const custom = text.replaceAll('"n8n-nodes-local-llama.', '"CUSTOM.');
		await fs.promises.writeFile(path.join('dist/workflows/custom', file), custom);
	}
}

/**
 * How the nodes read a base URL, for the scripts: those run before anything is installed, on a Node that may not know TypeScript.
 * The file is in the repository; a test fails where it differs from this.
 */
async function baseUrlForScripts() {
	const source = await fs.promises.readFile('lib/servers/base-url.ts', 'utf8');
	const { code } = await require('esbuild').transform(source, { loader: 'ts', format: 'esm', target: 'node20' });
	const { format, resolveConfig } = require('prettier');
	const file = 'scripts/lib/base-url.mjs';
	const notice = '// Made from lib/servers/base-url.ts by "npm run build". Change it there.\n';
	await fs.promises.writeFile(file, await format(notice + code, { ...(await resolveConfig(file)), filepath: file }));
}

const build = series(clean, compile, parallel(bundle, icons, nodeJson, workflows, baseUrlForScripts));

exports.clean = clean;
exports.build = build;
exports.default = build;
