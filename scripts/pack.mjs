/** `npm run pack`: builds the package from scratch and packs it into an archive in this folder. */
import { join } from 'node:path';
import { ensureBuild } from './lib/build.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { createLog } from './lib/log.mjs';
import { main } from './lib/script-main.mjs';
import { pack } from './lib/package-check.mjs';
import { root } from './lib/paths.mjs';

const log = createLog();

await main(async () => {
	await ensureDependencies(log);
	await ensureBuild(log, { force: true });
	log.line(join(root, await pack(root)));
	return 0;
});
