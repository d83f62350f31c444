/** Run by `npm pack` and `npm publish` before they pack: builds the package from scratch. */
import { ensureBuild } from './lib/package/build.mjs';
import { ensureDependencies } from './lib/system/dependencies.mjs';
import { createLog } from './lib/system/log.mjs';
import { main } from './lib/system/script-main.mjs';

const log = createLog();

await main(async () => {
	await ensureDependencies(log);
	await ensureBuild(log, { force: true });
	return 0;
});
