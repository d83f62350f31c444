/** Failures as Jest prints them: a suite with failing tests in a Jest of its own. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

const SUITE = `
test('waits', async () => await new Promise(() => undefined));
let isOver = false;
afterAll(() => { isOver = true; });
test('never ends', async () => { while (!isOver) await new Promise(setImmediate); }, 500);
test('computes', async () => {
	const end = process.cpuUsage().user + 300_000;
	while (process.cpuUsage().user < end) await new Promise(setImmediate);
});
test('is long', () => expect(Array.from({ length: 500 }, (_none, at) => at)).toEqual([]));
`;

test('a failure fits on a screen, and a test that takes too long says what happened', async () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'local-llama-failures-'));
	try {
		fs.writeFileSync(path.join(folder, 'failing.test.js'), SUITE);
		const environment = path.join(process.cwd(), 'test/support/jest/jest-environment.cjs');
		const testEnvironmentOptions = { maxIdleMs: 100 };
		const config = { rootDir: folder, testEnvironment: environment, testEnvironmentOptions };
		const jest = path.join(process.cwd(), 'node_modules/jest/bin/jest.js');
		const args = [jest, '--config', JSON.stringify(config), '--no-cache', '--colors=false'];
		const failed: unknown = await promisify(execFile)(process.execPath, args, { cwd: folder }).then(
			() => ({ stderr: 'all passed' }),
			(error: unknown) => error,
		);
		const { stderr } = failed as { stderr: string };
		expect(stderr).toMatch(/● waits\n\n {4}Waited 0\.1 s in vain for the end of the test\./);
		expect(stderr).toMatch(/● never ends\n\n {4}Waited 0\.5 s in vain for the end of the test\./);
		expect(stderr).not.toContain('● computes');
		expect(stderr).toMatch(/\+ {3}12,\n[^]*… \d+ lines …\n[^]*\+ {3}499,/);
		expect(stderr.split('\n').length).toBeLessThan(150);
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
});
