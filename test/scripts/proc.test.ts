import { childProcess, delay, fs, path, process, url } from '../support/node';
import { loadScript } from '../support/scripts';

interface ProcScript {
	run(
		command: string,
		args: string[],
		options?: { check?: boolean; timeoutMs?: number; onLine?: (line: string) => void },
	): Promise<{ code: number; stdout: string; output: string }>;
}

const PROC = JSON.stringify(url.pathToFileURL(path.resolve('scripts', 'lib', 'proc.mjs')).href);

/** A script that starts a shell in the background, which starts two more, one of them in a session of its own. */
const FAMILY = `
import { startService } from ${PROC};
const family = 'sleep 61 & setsid sleep 62 & echo ready $$ $!; wait';
startService('family', 'sh', ['-c', family], { onLine: (line) => console.log(line) });
`;

/** One that ignores being asked to end. */
const STUBBORN = `
import { startService } from ${PROC};
const stubborn = 'trap "" TERM; echo ready $$ $$; while :; do sleep 0.1; done';
startService('stubborn', 'sh', ['-c', stubborn], { onLine: (line) => console.log(line) });
`;

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		if (process.platform !== 'linux') return true;
		// An ended process stays in the table until its parent takes note, and orphans have a slow one in some containers.
		return !/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
	} catch {
		return false;
	}
}

async function startScript(code: string) {
	const script = childProcess.spawn(process.execPath, ['--input-type=module', '-e', code], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const ended = new Promise<number | null>((resolve) => script.once('exit', resolve));
	const pids = await new Promise<number[]>((resolve) => {
		script.stdout.on('data', (data: Uint8Array) => {
			const line = /ready (\d+) (\d+)/.exec(Buffer.from(data).toString());
			if (line) resolve([Number(line[1]), Number(line[2])]);
		});
	});
	expect(pids.map(isAlive)).toEqual([true, true]);
	return { script, ended, pids };
}

async function waitUntilGone(pids: number[]): Promise<boolean> {
	for (let tries = 0; tries < 40 && pids.some(isAlive); tries += 1) await delay(25);
	return !pids.some(isAlive);
}

it.each([
	['SIGINT', 130],
	['SIGTERM', 143],
	['SIGHUP', 129],
] as const)('takes children, grandchildren and those in another session along on %s', async (signal, code) => {
	const { script, ended, pids } = await startScript(FAMILY);
	script.kill(signal);
	expect(await ended).toBe(code);
	expect(await waitUntilGone(pids)).toBe(true);
});

it('takes them along when the script ends by itself', async () => {
	const { ended, pids } = await startScript(`${FAMILY}\nsetTimeout(() => process.exit(3), 300);`);
	expect(await ended).toBe(3);
	expect(await waitUntilGone(pids)).toBe(true);
});

it('takes them along when the script crashes', async () => {
	const crash =
		"process.on('uncaughtException', () => process.exit(1)); setTimeout(() => { throw new Error(); }, 300);";
	const { ended, pids } = await startScript(`${FAMILY}\n${crash}`);
	expect(await ended).toBe(1);
	expect(await waitUntilGone(pids)).toBe(true);
});

it('does not wait for a stubborn one when asked twice', async () => {
	const { script, ended, pids } = await startScript(STUBBORN);
	const startedAt = Date.now();
	script.kill('SIGINT');
	await delay(1200);
	script.kill('SIGINT');
	expect(await ended).toBe(130);
	expect(Date.now() - startedAt).toBeLessThan(4000);
	expect(await waitUntilGone(pids)).toBe(true);
});

describe('running a command to its end', () => {
	it('gives both streams, and lines that were drawn over each other as lines', async () => {
		const { run } = await loadScript<ProcScript>('proc');
		const lines: string[] = [];
		const { code, stdout, output } = await run('sh', ['-c', 'printf "10%%\\r20%%\\n"; echo warning >&2'], {
			onLine: (line) => lines.push(line),
		});
		expect(code).toBe(0);
		expect(stdout).toBe('10%\r20%\n');
		expect(output).toContain('warning');
		expect(lines.sort()).toEqual(['10%', '20%', 'warning']);
	});

	it('fails with the last lines that were said', async () => {
		const { run } = await loadScript<ProcScript>('proc');
		await expect(run('sh', ['-c', 'echo it broke; exit 4'])).rejects.toThrow(/exit code 4\nit broke/);
		expect(await run('sh', ['-c', 'exit 4'], { check: false })).toMatchObject({ code: 4 });
		await expect(run('no-such-command', [])).rejects.toThrow('no-such-command');
	});

	it('does not hang on a grandchild that keeps the output open', async () => {
		const { run } = await loadScript<ProcScript>('proc');
		const startedAt = Date.now();
		await run('sh', ['-c', 'sleep 30 & echo done']);
		expect(Date.now() - startedAt).toBeLessThan(5000);
	});

	it('ends it at its time limit', async () => {
		const { run } = await loadScript<ProcScript>('proc');
		await expect(run('sleep', ['30'], { timeoutMs: 100 })).rejects.toThrow('took longer than 100 ms');
	});
});
