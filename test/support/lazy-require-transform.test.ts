import * as workflow from 'n8n-workflow';

import * as childProcess from 'node:child_process';
import process from 'node:process';

const LIST = `
	const all = Object.entries(require('n8n-workflow'));
	console.log(JSON.stringify(all.map(([name, value]) => [name, typeof value])));`;

test('n8n-workflow has the same exports when they are loaded lazily', () => {
	const atOnce: unknown = JSON.parse(
		childProcess.execFileSync(process.execPath, ['-e', LIST], { encoding: 'utf8' }),
	);
	const here = Object.entries(workflow).map(([name, value]) => [name, typeof value]);
	expect(Object.fromEntries(here)).toEqual(Object.fromEntries(atOnce as Array<[string, string]>));
	expect(here.length).toBeGreaterThan(200);
});
