const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { brotliCompressSync } = require('node:zlib');
const { dest, parallel, series, src } = require('gulp');
const ts = require('typescript');

const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');

async function clean() {
	await fs.promises.rm('dist', { recursive: true, force: true });
}

/**
 * Checks types and compiles credentials, nodes and lib to CommonJS. A node and its operations are bundled into one file, which saves
 * 25 kB of the package, and minified, which saves a tenth. Functions, classes and methods keep their names, for stack traces.
 */
async function compile() {
	execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
	const { bundleNode } = await import('./scripts/lib/bundle-node.mjs');
	for (const node of await fs.promises.readdir('nodes')) {
		if (node === 'shared') continue;
		await fs.promises.rm(path.join('dist', 'nodes', node), { recursive: true });
		await bundleNode(node, 'dist');
	}
	const files = await fs.promises.readdir('dist', { recursive: true });
	for (const file of files
		.filter((name) => name.endsWith('.js'))
		.map((name) => path.join('dist', name))) {
		const text = withShortNames(await fs.promises.readFile(file, 'utf8'));
		// Without `format`, esbuild keeps the names at the top level of a file.
		const { code } = await require('esbuild').transform(text, { minify: true, target: 'node20' });
		await fs.promises.writeFile(file, code);
	}
}

/**
 * Shortens the names of required modules (TypeScript's `server_error_1`) and of top-level constants, which saves 12 kB of the package.
 * Functions and classes keep theirs.
 */
function withShortNames(text) {
	const file = ts.createSourceFile('file.js', text, ts.ScriptTarget.ES2022, true);
	const isNamed = (value) =>
		ts.isArrowFunction(value) || ts.isFunctionExpression(value) || ts.isClassExpression(value);
	const constants = file.statements
		.filter(ts.isVariableStatement)
		.flatMap(({ declarationList }) => declarationList.declarations)
		.filter(
			({ name, initializer }) =>
				ts.isIdentifier(name) && initializer !== undefined && !isNamed(initializer),
		);
	const places = new Map(constants.map(({ name }) => [name.text, []]));
	const visit = (node) => {
		if (ts.isIdentifier(node) && places.has(node.text) && !isPropertyName(node)) {
			// Keep names that are declared again inside, or used as a shorthand property.
			const isUnclear =
				ts.isShorthandPropertyAssignment(node.parent) || isDeclaredInside(node, file);
			if (isUnclear) places.delete(node.text);
			else places.get(node.text).push(node.getStart());
		}
		ts.forEachChild(node, visit);
	};
	visit(file);
	const changes = [...places].flatMap(([name, starts], at) =>
		starts.map((start) => ({ start, name, short: `$${at}` })),
	);
	return changes
		.sort((one, other) => other.start - one.start)
		.reduce(
			(all, { start, name, short }) => all.slice(0, start) + short + all.slice(start + name.length),
			text,
		);
}

/** Whether it names a property of an object, a class or a pattern: `a.name`, `{ name: 1 }`, `{ name: other } = a`. */
function isPropertyName(node) {
	const { name, propertyName } = node.parent;
	const isOfBinding = ts.isBindingElement(node.parent);
	const hasProperty =
		ts.isPropertyAccessExpression(node.parent) ||
		ts.isObjectLiteralElement(node.parent) ||
		ts.isClassElement(node.parent);
	return (
		propertyName === node ||
		(hasProperty && !isOfBinding && name === node && !ts.isShorthandPropertyAssignment(node.parent))
	);
}

function isDeclaredInside(node, file) {
	const { parent } = node;
	const isDeclaration =
		parent.name === node &&
		!ts.isPropertyAccessExpression(parent) &&
		!ts.isObjectLiteralElement(parent);
	return isDeclaration && parent.parent?.parent?.parent !== file;
}

/**
 * Modules that undici imports but that are never used here: HTTP/2 (off by default), FormData bodies, and the parser's SIMD
 * build of WebAssembly, which is no faster here; without it undici uses the other build.
 */
const UNUSED_OF_UNDICI =
	/[\\/]undici[\\/]lib[\\/](?:dispatcher[\\/]client-h2|web[\\/]fetch[\\/]body|llhttp[\\/]llhttp_simd-wasm)\.js$/;

/**
 * Replaces them with stubs that throw. The parser, 54 kB of WebAssembly as base64, hardly shrinks in the package; compressed with
 * Brotli first, it takes 15 kB instead of 24.
 */
const smallerUndici = {
	name: 'smaller-undici',
	setup(build) {
		build.onLoad({ filter: UNUSED_OF_UNDICI }, ({ path: file }) => ({
			contents: `module.exports = module.exports.extractBody = () => { throw new Error('${path.basename(file)} of undici is not in this package'); };`,
			loader: 'js',
		}));
		build.onLoad({ filter: /[\\/]llhttp-wasm\.js$/ }, ({ path: file }) => ({
			contents: `module.exports = require('node:zlib').brotliDecompressSync(Buffer.from('${brotliCompressSync(require(file)).toString('base64')}', 'base64'));`,
			loader: 'js',
		}));
	},
};

/** Bundles the libraries of `lib/vendor.ts` into one minified file, which replaces the compiled `lib/vendor.js`. */
async function bundle() {
	await require('esbuild').build({
		entryPoints: ['lib/vendor.ts'],
		outfile: 'dist/lib/vendor.js',
		allowOverwrite: true,
		bundle: true,
		minify: true,
		platform: 'node',
		format: 'cjs',
		target: 'node20',
		legalComments: 'none',
		plugins: [smallerUndici],
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
		// Dependencies of these.
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
		const text = fs.existsSync(file)
			? fs.readFileSync(file, 'utf8').trim()
			: `Copyright ${author}\n${homepage}`;
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

/** Copies each node's codex file, which n8n reads when it loads the nodes from a custom folder. */
function nodeJson() {
	return src('nodes/**/*.node.json', { base: '.' }).pipe(dest('dist'));
}

/**
 * Writes the example workflows for nodes that are loaded from ~/.n8n/custom or N8N_CUSTOM_EXTENSIONS: their types have the prefix
 * `CUSTOM.`. `workflows/` has them for a package that was installed from n8n's interface. IDs of nodes must be unique in their
 * workflow only, so numbers replace the UUIDs, which saves 7 kB.
 */
async function workflows() {
	const files = (await fs.promises.readdir('workflows')).filter((file) => file.endsWith('.json'));
	await fs.promises.mkdir('dist/workflows/custom', { recursive: true });
	for (const file of files) {
		const text = JSON.stringify(
			JSON.parse(await fs.promises.readFile(path.join('workflows', file), 'utf8')),
		);
		let count = 0;
		const custom = text
			.replaceAll('"n8n-nodes-local-llama.', '"CUSTOM.')
			.replace(/"id":"[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}"/g, () => `"id":"${++count}"`);
		await fs.promises.writeFile(path.join('dist/workflows/custom', file), custom);
	}
}

/**
 * Compiles the nodes' reading of base URLs for the scripts, which run before anything is installed, on a Node that may not support
 * TypeScript. The file is in the repository; a test fails if it is outdated.
 */
async function baseUrlForScripts() {
	const source = await fs.promises.readFile('lib/servers/base-url.ts', 'utf8');
	const { code } = await require('esbuild').transform(source, {
		loader: 'ts',
		format: 'esm',
		target: 'node20',
	});
	const { format, resolveConfig } = require('prettier');
	const file = 'scripts/lib/base-url.mjs';
	const notice = '// Made from lib/servers/base-url.ts by "npm run build". Change it there.\n';
	await fs.promises.writeFile(
		file,
		await format(notice + code, { ...(await resolveConfig(file)), filepath: file }),
	);
}

const build = series(
	clean,
	compile,
	parallel(bundle, icons, nodeJson, workflows, baseUrlForScripts),
);

exports.clean = clean;
exports.build = build;
exports.default = build;
