const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { dest, parallel, series, src } = require('gulp');
const { name: packageName } = require('./package.json');

const tsc = require.resolve('typescript/bin/tsc');

async function clean() {
	await fs.promises.rm('dist', { recursive: true, force: true });
}

async function checkTypes() {
	execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
}

async function bundle() {
	const { bundleLibraries, bundleOwnCode, writeEntries } =
		await import('./scripts/lib/package/bundle.mjs');
	const { thirdPartyLicences } = await import('./scripts/lib/package/licences.mjs');
	const built = [await bundleOwnCode('dist'), await bundleLibraries('dist')];
	const files = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
	writeEntries('dist');
	await fs.promises.writeFile('dist/THIRD-PARTY-LICENSES.txt', thirdPartyLicences(files));
}

function icons() {
	return src('icons/*.svg', { encoding: false }).pipe(dest('dist/icons'));
}

/** Copies each node's codex file, which n8n reads when it loads the nodes from a custom folder. */
function nodeJson() {
	return src('nodes/**/*.node.json', { base: '.' }).pipe(dest('dist'));
}

/**
 * Writes the example workflows in both forms. n8n names nodes after the place they are installed in: `CUSTOM.` for
 * ~/.n8n/custom and N8N_CUSTOM_EXTENSIONS, which `workflows/` has, and the name of the package for its interface.
 */
async function workflows() {
	const files = (await fs.promises.readdir('workflows')).filter((file) => file.endsWith('.json'));
	for (const [form, prefix] of Object.entries({ custom: 'CUSTOM', package: packageName })) {
		const folder = path.join('dist/workflows', form);
		await fs.promises.mkdir(folder, { recursive: true });
		for (const file of files) {
			const text = await fs.promises.readFile(path.join('workflows', file), 'utf8');
			const compact = JSON.stringify(JSON.parse(text.replaceAll('"CUSTOM.', `"${prefix}.`)));
			await fs.promises.writeFile(path.join(folder, file), compact);
		}
	}
}

const build = series(clean, checkTypes, parallel(bundle, icons, nodeJson, workflows));

exports.clean = clean;
exports.build = build;
exports.default = build;
