/** Notes which parts of the sources a test file has run: see `scripts/lib/planter/regions.mjs`. */
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const { REGIONS_FOLDER } = process.env;

if (REGIONS_FOLDER !== undefined)
	afterAll(() => {
		const { ranRegions = {} } = globalThis as { ranRegions?: Record<string, Uint8Array> };
		const ran = Object.entries(ranRegions).map(([file, marks]): [string, number[]] => [
			file,
			[...marks.keys()].filter((at) => marks[at] === 1),
		]);
		const test = path.relative(process.cwd(), expect.getState().testPath ?? '');
		const file = path.join(REGIONS_FOLDER, `${test.replaceAll(path.sep, '+')}.json`);
		fs.writeFileSync(file, JSON.stringify(Object.fromEntries(ran)));
	});
