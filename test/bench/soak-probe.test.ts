import type { Sample } from '../../bench/soak/types';
import { childProcess, fs, net, os, path, process } from '../support/node-builtins';

/** Stands for n8n: keeps everything after a request to leak. */
const HOST = `
	import { connect, createServer } from 'node:net';
	const kept = [];
	const server = createServer((socket) => kept.push(socket)).listen(0, '127.0.0.1');
	process.stdin.once('data', async () => {
		const socket = connect(server.address().port, '127.0.0.1');
		await new Promise((resolve) => socket.once('connect', resolve));
		const { signal } = new AbortController();
		for (let at = 0; at < 7; at += 1) {
			signal.addEventListener('abort', () => at);
			kept.push(setTimeout(() => at, 1e6));
			const ended = setTimeout(() => undefined, 1e6);
			clearTimeout(ended);
			kept.push(ended);
		}
		kept.push(socket, signal, new Array(1e6).fill(0.5), Buffer.alloc(5e6));
		for (let at = 0; at < 20; at += 1) AbortSignal.timeout(5e6);
		console.log('leaked');
	});
	console.log('ready');
`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'local-llama-probe-'));
const socket = path.join(folder, 'probe');
let host: ReturnType<typeof childProcess.spawn>;
let output = '';

const waitForOutput = async (word: string): Promise<void> => {
	while (!output.includes(word)) await new Promise((resolve) => host.stdout!.once('data', resolve));
};

const measure = async (): Promise<Sample> =>
	await new Promise((resolve, reject) => {
		let response = '';
		const connection = net.connect(socket, () => connection.write('measure\n'));
		connection.on('data', (piece) => (response += String(piece)));
		connection.on('end', () => resolve(JSON.parse(response) as Sample));
		connection.on('error', reject);
	});

beforeAll(async () => {
	fs.writeFileSync(path.join(folder, 'host.mjs'), HOST);
	const probe = path.resolve('bench', 'soak', 'probe.mjs');
	host = childProcess.spawn(
		process.execPath,
		['--import', probe, path.join(folder, 'host.mjs'), 'start'],
		{
			env: { ...process.env, SOAK_PROBE_SOCKET: socket, SOAK_PROBE_PACKAGE: folder },
			stdio: ['pipe', 'pipe', 'inherit'],
		},
	);
	host.stdout!.on('data', (piece: Uint8Array) => (output += String(piece)));
	await waitForOutput('ready');
});
afterAll(() => {
	host.kill('SIGKILL');
	fs.rmSync(folder, { recursive: true, force: true });
});

test('the probe counts the objects that a process keeps, by type', async () => {
	await measure();
	const before = await measure();
	const second = await measure();
	const steady = ({ sockets, timers, abortListeners, abortSignals, openSockets }: Sample) => ({
		...{ sockets, timers, abortListeners, abortSignals, openSockets },
	});
	expect(steady(second)).toEqual(steady(before));

	host.stdin!.write('leak\n');
	await waitForOutput('leaked');
	await measure();
	const after = await measure();
	expect(after.heapUsed - before.heapUsed).toBeGreaterThan(7e6);
	expect(after.external - before.external).toBeGreaterThan(4e6);
	expect(after.sockets - before.sockets).toBe(2);
	expect(after.openSockets - before.openSockets).toBe(2);
	expect(after.timers - before.timers).toBe(7);
	expect(after.abortSignals - before.abortSignals).toBe(1);
	expect(after.abortListeners - before.abortListeners).toBe(7);
});
