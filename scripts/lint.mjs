/** `npm run lint`, and `npm run lint:fix`. */
import { createLog } from './lib/system/log.mjs';
import { ensureDependencies } from './lib/system/dependencies.mjs';
import { lint } from './lib/checks/lint.mjs';
import { main } from './lib/system/script-main.mjs';

await main(async () => {
	await ensureDependencies(createLog());
	await lint(process.argv.slice(2));
	return 0;
});
