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
 * Type check and CommonJS output of credentials, nodes and lib. A node and its operations become one file: as a file each, they took
 * 25 kB of the package. Minified, which is a tenth of it; functions, classes and methods keep their names, so that a stack trace says
 * where it was.
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
	for (const file of files.filter((name) => name.endsWith('.js')).map((name) => path.join('dist', name))) {
		const text = withShortNames(await fs.promises.readFile(file, 'utf8'));
		// Without a format, esbuild renames nothing at the top of a file.
		const { code } = await require('esbuild').transform(text, { minify: true, target: 'node20' });
		await fs.promises.writeFile(file, code);
	}
}

/**
 * What a file requires (`server_error_1`, as TypeScript names it) and its own constants have short names: 12 kB of the package. Functions
 * and classes keep theirs.
 */
function withShortNames(text) {
	const file = ts.createSourceFile('file.js', text, ts.ScriptTarget.ES2022, true);
	const isNamed = (value) => ts.isArrowFunction(value) || ts.isFunctionExpression(value) || ts.isClassExpression(value);
	const constants = file.statements
		.filter(ts.isVariableStatement)
		.flatMap(({ declarationList }) => declarationList.declarations)
		.filter(({ name, initializer }) => ts.isIdentifier(name) && initializer !== undefined && !isNamed(initializer));
	const places = new Map(constants.map(({ name }) => [name.text, []]));
	const visit = (node) => {
		if (ts.isIdentifier(node) && places.has(node.text) && !isPropertyName(node)) {
			// A name that something else has as well, or that is also that of a property, stays.
			const isUnclear = ts.isShorthandPropertyAssignment(node.parent) || isDeclaredInside(node, file);
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
		.reduce((all, { start, name, short }) => all.slice(0, start) + short + all.slice(start + name.length), text);
}

/** Of an object, a class or a pattern: `a.name`, `{ name: 1 }`, `{ name: other } = a`. */
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
		parent.name === node && !ts.isPropertyAccessExpression(parent) && !ts.isObjectLiteralElement(parent);
	return isDeclaration && parent.parent?.parent?.parent !== file;
}

/**
 * What the parts of undici that are used name and never need here: HTTP/2 (off unless told), bodies of FormData, and the
 * parser's second form (SIMD instructions of WebAssembly, no faster here; where it cannot be had, undici takes the first).
 */
const UNUSED_OF_UNDICI =
	/[\\/]undici[\\/]lib[\\/](?:dispatcher[\\/]client-h2|web[\\/]fetch[\\/]body|llhttp[\\/]llhttp_simd-wasm)\.js$/;

/**
 * In their place: something that fails when it is used. The parser itself, 54 kB of WebAssembly as text, hardly gets smaller in a
 * package; compressed before, it takes 15 kB in place of 24.
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

/** The libraries of `lib/vendor.ts` in one shared, minified file in place of the compiled `lib/vendor.js`. */
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
 * The example workflows for nodes that were loaded from ~/.n8n/custom or N8N_CUSTOM_EXTENSIONS: those have the prefix `CUSTOM.`,
 * and a workflow with the other prefix shows unknown nodes there. `workflows/` has them for a package that was installed from
 * n8n's interface, and to read. A node's ID has to be one of its workflow only: 390 UUIDs take 7 kB.
 */
async function workflows() {
	const files = (await fs.promises.readdir('workflows')).filter((file) => file.endsWith('.json'));
	await fs.promises.mkdir('dist/workflows/custom', { recursive: true });
	for (const file of files) {
		const text = JSON.stringify(JSON.parse(await fs.promises.readFile(path.join('workflows', file), 'utf8')));
		let count = 0;
		const custom = text
			.replaceAll('"n8n-nodes-local-llama.', '"CUSTOM.')
			.replace(/"id":"[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}"/g, () => `"id":"${++count}"`);
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
