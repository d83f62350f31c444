/** `npm run lint`, and `npm run lint:fix`. */
import { createLog } from './lib/log.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { lint } from './lib/lint.mjs';
import { main } from './lib/script-main.mjs';

await main(async () => {
	await ensureDependencies(createLog());
	await lint(process.argv.slice(2));
	return 0;
});
