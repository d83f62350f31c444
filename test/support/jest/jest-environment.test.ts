/** Failures as Jest prints them: a suite with failing tests in a Jest of its own. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

const SUITE = `
test('waits', async () => await new Promise(() => undefined), 50);
test('is long', () => expect(Array.from({ length: 500 }, (_none, at) => at)).toEqual([]));
`;

test('a failure fits on a screen, and a test that takes too long says what happened', async () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'local-llama-failures-'));
	try {
		fs.writeFileSync(path.join(folder, 'failing.test.js'), SUITE);
		const environment = path.join(process.cwd(), 'test/support/jest/jest-environment.cjs');
		const config = { rootDir: folder, testEnvironment: environment };
		const jest = path.join(process.cwd(), 'node_modules/jest/bin/jest.js');
		const args = [jest, '--config', JSON.stringify(config), '--no-cache', '--colors=false'];
		const failed: unknown = await promisify(execFile)(process.execPath, args, { cwd: folder }).then(
			() => ({ stderr: 'all passed' }),
			(error: unknown) => error,
		);
		const { stderr } = failed as { stderr: string };
		expect(stderr).toContain('Waited 0.05 s in vain for the end of the test.');
		expect(stderr).toMatch(/\+ {3}12,\n[^]*… \d+ lines …\n[^]*\+ {3}499,/);
		expect(stderr.split('\n').length).toBeLessThan(150);
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
});
