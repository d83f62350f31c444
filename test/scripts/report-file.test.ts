import * as childProcess from 'node:child_process';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

const ROOT = path.resolve(__dirname, '../..');
const JEST = path.join(ROOT, 'node_modules/jest/bin/jest.js');
const REPORTER = path.join(ROOT, 'scripts/lib/checks/report-file.mjs');

/** Jest's results of test files, by the reporter. */
function play(files: Record<string, string>, ...args: string[]): unknown {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'report-file-'));
	try {
		for (const [name, source] of Object.entries(files))
			fs.writeFileSync(path.join(folder, name), source);
		const config = JSON.stringify({ rootDir: folder, transform: {} });
		const file = path.join(folder, 'report.json');
		const { stderr } = childProcess.spawnSync(
			process.execPath,
			[JEST, '--config', config, '--runInBand', `--reporters=${REPORTER}`, ...args],
			{ cwd: ROOT, env: { ...process.env, REPORT_FILE: file }, encoding: 'utf8' },
		);
		if (!fs.existsSync(file)) throw new Error(`No report: ${stderr}`);
		return JSON.parse(fs.readFileSync(file, 'utf8').replaceAll(`${folder}${path.sep}`, ''));
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
}

const GOOD = "test('is right', () => {});";
const WRONG = "test('is wrong', () => { throw new Error('One is not two'); });";
const BROKEN = "throw new Error('Cannot be loaded');";

test('a failure that ends a run early is in the report', () => {
	expect(play({ 'wrong.test.js': WRONG }, '--bail')).toMatchObject([
		{
			name: 'wrong.test.js',
			status: 'failed',
			assertionResults: [
				{
					fullName: 'is wrong',
					status: 'failed',
					failureMessages: [expect.stringContaining('One is not two')],
				},
			],
		},
	]);
});

test('without an early end, all files are in it, also one that cannot be loaded', () => {
	const reports = play({ 'a.test.js': GOOD, 'b.test.js': WRONG, 'c.test.js': BROKEN }) as Array<{
		name: string;
	}>;
	expect(reports.toSorted((a, b) => a.name.localeCompare(b.name))).toMatchObject([
		{ name: 'a.test.js', status: 'passed', assertionResults: [{ status: 'passed' }] },
		{ name: 'b.test.js', status: 'failed', assertionResults: [{ status: 'failed' }] },
		{
			name: 'c.test.js',
			status: 'failed',
			message: expect.stringContaining('Cannot be loaded') as string,
			assertionResults: [],
		},
	]);
});
