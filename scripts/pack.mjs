/** `npm run pack`: builds the package from scratch and packs it into an archive in this folder. */
import { join } from 'node:path';
import { ensureBuild } from './lib/build.mjs';
import { ensureDependencies } from './lib/deps.mjs';
import { createLog } from './lib/log.mjs';
import { main } from './lib/main.mjs';
import { npm } from './lib/npm.mjs';
import { root } from './lib/paths.mjs';

const log = createLog();

await main(async () => {
	await ensureDependencies(log);
	await ensureBuild(log, { force: true });
	const { stdout } = await npm(
		['pack', '--ignore-scripts', '--pack-destination', root, '--loglevel=error'],
		{
			cwd: root,
		},
	);
	log.line(join(root, stdout.trim().split('\n').at(-1) ?? ''));
	return 0;
});
