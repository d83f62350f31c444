import type { Login } from '../../../scripts/lib/types';
import * as childProcess from 'node:child_process';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { loadScript } from '../../support/files/scripts';

/** All parts are installed: only n8n and the model are started, and the examples imported. */
const READY_TIMEOUT_MS = 360_000;

export interface Started {
	url: string;
	login: Login;
	output: string;
	/** Ctrl+C: SIGINT to the whole foreground process group, like a terminal. */
	ctrlC(): Promise<void>;
}

const running: childProcess.ChildProcess[] = [];

const hasEnded = ({ exitCode, signalCode }: childProcess.ChildProcess) =>
	exitCode !== null || signalCode !== null;

async function interrupt(child: childProcess.ChildProcess): Promise<void> {
	if (child.pid === undefined || hasEnded(child)) return;
	const ended = new Promise((resolve) => child.once('exit', resolve));
	process.kill(-child.pid, 'SIGINT');
	await ended;
}

/** For failed tests, too: while a process runs, jest does not end. */
export const endNpmStart = async (): Promise<void> => {
	await Promise.all(running.splice(0).map(interrupt));
};

/**
 * `npm start` with a separate data folder, so that the user's data in this clone stay unchanged.
 *
 * @param baseUrl of a model server; empty: it starts its own
 */
export async function npmStart(data: string, baseUrl = '', wantedPort?: number): Promise<Started> {
	const { freePort } = await loadScript<{ freePort(): Promise<number> }>('system/ports');
	const port = wantedPort ?? (await freePort());
	const latest = Date.now() + READY_TIMEOUT_MS;
	const child = childProcess.spawn('npm', ['start', '--', '--port', String(port)], {
		cwd: process.cwd(),
		env: { ...process.env, LOCAL_LLAMA_DATA: data, LOCAL_LLAMA_BASE_URL: baseUrl },
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	running.push(child);
	let output = '';
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (bytes: Buffer) => (output += bytes.toString('utf8')));
	while (!output.includes('Ctrl-C ends everything.')) {
		if (hasEnded(child)) throw new Error(`npm start ended:\n${output}`);
		if (Date.now() > latest)
			throw new Error(
				`npm start was not ready after ${READY_TIMEOUT_MS / 60_000} minutes:\n${output}`,
			);
		await delay(100);
	}
	const [, url = ''] = /^n8n\s+(http:\/\/localhost:\d+)/m.exec(output) ?? [];
	const [, email = '', password = ''] = /^Login\s+(\S+)\s+(\S+)/m.exec(output) ?? [];
	return { url, login: { email, password }, output, ctrlC: async () => await interrupt(child) };
}
