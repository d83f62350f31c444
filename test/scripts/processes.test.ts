import * as childProcess from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import * as url from 'node:url';
import { loadScript } from '../support/scripts';

interface ProcScript {
	run(
		command: string,
		args: string[],
		options?: { check?: boolean; onLine?: (line: string) => void },
	): Promise<{ code: number; stdout: string; output: string }>;
}

const PROC = JSON.stringify(
	url.pathToFileURL(path.resolve('scripts', 'lib', 'processes.mjs')).href,
);

/** A script that starts a shell in the background, which starts two more. */
const FAMILY = `
import { startService } from ${PROC};
const family = 'sleep 61 & sleep 62 & echo ready $$ $!; wait';
startService('family', 'sh', ['-c', family], { onLine: (line) => console.log(line) });
`;

/** A script that ignores SIGTERM. */
const STUBBORN = `
import { startService } from ${PROC};
const stubborn = 'trap "echo asked" TERM; echo ready $$ $$; while :; do sleep 0.1; done';
startService('stubborn', 'sh', ['-c', stubborn], { onLine: (line) => console.log(line) });
`;

const TIMEOUT_MS = 30_000;

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		if (process.platform !== 'linux') return true;
		// An ended process stays a zombie until its parent reaps it, which is slow for orphans in some containers.
		return !/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
	} catch {
		return false;
	}
}

async function startScript(code: string) {
	const script = childProcess.spawn(process.execPath, ['--input-type=module', '-e', code], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	const ended = new Promise<number | null>((resolve) => script.once('exit', resolve));
	let output = '';
	script.stdout.on('data', (data: Uint8Array) => (output += Buffer.from(data).toString()));
	const waitForLine = async (line: RegExp) => {
		for (const until = Date.now() + TIMEOUT_MS; Date.now() < until; await delay(25)) {
			const [whole, ...numbers] = line.exec(output) ?? [];
			if (whole !== undefined) return numbers.map(Number);
		}
		throw new Error(`The script never printed ${String(line)}, only: ${output}`);
	};
	const pids = await waitForLine(/ready (\d+) (\d+)\n/);
	expect(pids.map(isAlive)).toEqual([true, true]);
	return { script, ended, pids, hears: waitForLine };
}

async function waitUntilGone(pids: number[]): Promise<boolean> {
	for (const until = Date.now() + TIMEOUT_MS; Date.now() < until && pids.some(isAlive); )
		await delay(25);
	return !pids.some(isAlive);
}

it.each([
	['SIGINT', 130],
	['SIGTERM', 143],
	['SIGHUP', 129],
] as const)('children and grandchildren end on %s', async (signal, code) => {
	const { script, ended, pids } = await startScript(FAMILY);
	script.kill(signal);
	expect(await ended).toBe(code);
	expect(await waitUntilGone(pids)).toBe(true);
});

it('children end when the script ends normally', async () => {
	const { script, ended, pids } = await startScript(
		`${FAMILY}\nprocess.stdin.once('data', () => process.exit(3));`,
	);
	script.stdin.write('go');
	expect(await ended).toBe(3);
	expect(await waitUntilGone(pids)).toBe(true);
});

it('children end when the script crashes', async () => {
	const crash =
		"process.on('uncaughtException', () => process.exit(1)); process.stdin.once('data', () => { throw new Error(); });";
	const { script, ended, pids } = await startScript(`${FAMILY}\n${crash}`);
	script.stdin.write('go');
	expect(await ended).toBe(1);
	expect(await waitUntilGone(pids)).toBe(true);
});

it('a second signal does not wait for a child that ignores SIGTERM', async () => {
	const { script, ended, pids, hears } = await startScript(STUBBORN);
	script.kill('SIGINT');
	await hears(/asked\n/);
	await delay(1200);
	script.kill('SIGINT');
	expect(await ended).toBe(130);
	expect(await waitUntilGone(pids)).toBe(true);
});

describe('running a command', () => {
	it('returns both streams, and splits progress output at carriage returns', async () => {
		const { run } = await loadScript<ProcScript>('processes');
		const lines: string[] = [];
		const { code, stdout, output } = await run(
			'sh',
			['-c', 'printf "10%%\\r20%%\\n"; echo warning >&2'],
			{
				onLine: (line) => lines.push(line),
			},
		);
		expect(code).toBe(0);
		expect(stdout).toBe('10%\r20%\n');
		expect(output).toContain('warning');
		expect(lines.sort()).toEqual(['10%', '20%', 'warning']);
	});

	it('fails with the last lines of the output', async () => {
		const { run } = await loadScript<ProcScript>('processes');
		await expect(run('sh', ['-c', 'echo it broke; exit 4'])).rejects.toThrow(
			/exit code 4\nit broke/,
		);
		expect(await run('sh', ['-c', 'exit 4'], { check: false })).toMatchObject({ code: 4 });
		await expect(run('no-such-command', [])).rejects.toThrow('no-such-command');
	});

	it('does not hang on a grandchild that keeps the output open', async () => {
		const { run } = await loadScript<ProcScript>('processes');
		expect(await run('sh', ['-c', 'sleep 3600 & echo done'])).toMatchObject({ code: 0 });
	});
});
