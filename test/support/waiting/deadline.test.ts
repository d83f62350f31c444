import { withDeadline } from './deadline';
import process from 'node:process';
import { setImmediate } from 'node:timers';
import { startScripted } from '../servers/scripted-server';

const never = new Promise<never>(() => undefined);

test('a test that waits in vain says for what, and what its servers received', async () => {
	const server = await startScripted(({ path }, response) => {
		if (path === '/open') response.flushHeaders();
		else response.end('ok');
	});
	await fetch(`${server.url}/done`);
	const { body } = await fetch(`${server.url}/open`);
	const waiting = withDeadline(never, () => 'the second request', 10);
	await expect(waiting).rejects.toThrow(
		/^Waited 0\.01 s in vain for the second request\.\nThe servers of the test received 2 requests:\n {2}GET \/done: 200\n {2}GET \/open: no complete response for [\d.]+ s$/,
	);
	await body?.cancel();
	await server.close();
});

test('the requests of earlier tests are not listed', async () => {
	await expect(withDeadline(never, () => 'nothing', 10)).rejects.toThrow('received no request');
});

test('what arrives in time is the result', async () => {
	expect(await withDeadline(Promise.resolve(7), () => 'seven', 10)).toBe(7);
});

test('a process that computes does not wait in vain', async () => {
	const compute = async () => {
		const end = process.cpuUsage().user + 100_000;
		while (process.cpuUsage().user < end) await new Promise(setImmediate);
		return 7;
	};
	expect(await withDeadline(compute(), () => 'seven', 50)).toBe(7);
});
