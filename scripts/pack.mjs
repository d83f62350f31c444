/**
 * `npm run pack`: builds the package from scratch and packs it into an archive in this folder. With `--offline`, one archive
 * to install from without internet: the package, images, models and the pages. docs/operations.md explains it.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseModel, version, writeArchive } from './lib/air-gap.mjs';
import { ensureBuild } from './lib/build.mjs';
import { ensureDependencies } from './lib/deps.mjs';
import { createLog } from './lib/log.mjs';
import { main } from './lib/main.mjs';
import { npm } from './lib/npm.mjs';
import { root } from './lib/paths.mjs';

const USAGE = `Usage: npm run pack
       npm run pack -- --offline [--image FILE]… [--model FILE[@sha256:HASH]]… [--package FILE] [--out FILE]

  --image    an image as a file, from "docker save"
  --model    a model; with a hash, another content is refused
  --package  the package as a file; default: it is built
  --out      default: n8n-local-llama-${version}-offline.tar in this folder`;

const log = createLog();

/** @returns {Promise<string>} the packed file */
const packageFile = async () => {
	await ensureDependencies(log);
	await ensureBuild(log, { force: true });
	const args = ['pack', '--ignore-scripts', '--pack-destination', root, '--loglevel=error'];
	const { stdout } = await npm(args, { cwd: root });
	return join(root, stdout.trim().split('\n').at(-1) ?? '');
};

await main(async () => {
	const { values } = parseArgs({
		options: {
			offline: { type: 'boolean', default: false },
			image: { type: 'string', multiple: true, default: [] },
			model: { type: 'string', multiple: true, default: [] },
			package: { type: 'string' },
			out: { type: 'string' },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.help) {
		log.line(USAGE);
		return 0;
	}
	const file = values.package ?? (await packageFile());
	if (!values.offline) {
		log.line(file);
		return 0;
	}
	const archive = await writeArchive(log, {
		packageFile: file,
		images: values.image,
		models: values.model.map(parseModel),
		out: values.out ?? join(root, `n8n-local-llama-${version}-offline.tar`),
	});
	log.line(archive);
	return 0;
});
