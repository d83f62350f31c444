import fc from 'fast-check';

import type { Priority } from '../../../lib/http/scheduler';
import { env } from '../../../lib/vendor';
import { connectTo } from '../../../lib/servers/connect';
import { learnFromHeaders } from '../../../lib/servers/identify';
import { isBusySlot } from '../../../lib/servers/kinds/llama-api/slots';
import { takeSlot, waitForIdleSlot } from '../../../lib/servers/idle-slots';
import { type LlamaServerSim, reply, startLlamaServerSim } from '../../servers/llama-server';
import { json, startScripted } from '../../servers/scripted';
import { useSimulator } from '../../servers/use-simulator';
import { delay } from '../../support/node';
import { PLAIN_SETTINGS } from '../chat/chat-settings';

const start = useSimulator(startLlamaServerSim);

/** Modules of the package, with queues and caches of their own. */
async function ownModules() {
	let modules: Awaited<ReturnType<typeof importModules>> | undefined;
	await jest.isolateModulesAsync(async () => {
		modules = await importModules();
	});
	return modules!;
}

async function importModules() {
	return {
		client: await import('../../../lib/chat/client'),
		credential: await import('../../../lib/servers/credential'),
		generators: await import('../../../lib/generators'),
		clock: await import('../../../lib/clock'),
		dispatcher: await import('../../../lib/http/dispatcher'),
	};
}

const workers: Worker[] = [];

/** A process of n8n. */
class Worker {
	constructor(
		private readonly server: LlamaServerSim,
		readonly modules: Awaited<ReturnType<typeof ownModules>>,
	) {
		workers.push(this);
	}

	async generate(priority: Priority, signal?: AbortSignal) {
		const { client, credential, generators } = this.modules;
		const servers = credential.localLlamaServers({ baseUrl: this.server.url }, undefined, {
			priority,
		});
		const messages = [{ type: 'human' as const, content: 'Hello' }];
		const generating = new client.ChatClient(servers, PLAIN_SETTINGS).generate({
			messages,
			whole: true,
			signal,
		});
		return await generators.readToEnd(generating);
	}
}

/** Workers that have seen an answer of the server, so that they know what it is. */
async function startWorkers(server: LlamaServerSim, count: number): Promise<Worker[]> {
	const started: Worker[] = [];
	while (started.length < count) {
		const worker = new Worker(server, await ownModules());
		await worker.generate('agent');
		started.push(worker);
	}
	return started;
}

function requestsFor(server: LlamaServerSim, end: string) {
	return server.requests.filter(({ path }) => path.endsWith(end));
}

const looks = (server: LlamaServerSim) => requestsFor(server, '/slots').length;

let modeBefore: string | undefined;
beforeEach(() => {
	modeBefore = env.EXECUTIONS_MODE;
	env.EXECUTIONS_MODE = 'queue';
});
afterEach(async () => {
	if (modeBefore === undefined) delete env.EXECUTIONS_MODE;
	else env.EXECUTIONS_MODE = modeBefore;
	for (const { modules } of workers.splice(0)) await modules.dispatcher.closeChannels();
	jest.restoreAllMocks();
});

/** An answer that takes its slot until it is opened. */
function gated() {
	let open = () => {};
	const wait = new Promise<void>((resolve) => (open = resolve));
	return { open, answer: reply.chunks(['a', { wait }, 'b']) };
}

/** Takes both slots of a server. */
async function fill(server: LlamaServerSim, worker: Worker) {
	const [one, two] = [gated(), gated()];
	server.script(one.answer, two.answer);
	const before = requestsFor(server, '/chat/completions').length;
	const answers = Promise.all([worker.generate('agent'), worker.generate('agent')]);
	await server.until(() => server.slots().every(({ busy }) => busy));
	expect(requestsFor(server, '/chat/completions')).toHaveLength(before + 2);
	return { one, two, answers };
}

test('batches of three workers wait in n8n, not in the server, and end', async () => {
	const server = await start({ slots: 2 });
	const three = await startWorkers(server, 3);
	expect(new Set(three.map(({ modules }) => modules.client.ChatClient)).size).toBe(3);
	const { one, two, answers } = await fill(server, three[0]!);
	const batches = [...three, ...three, ...three].map(
		async (worker) => await worker.generate('batch'),
	);
	await server.until(() => looks(server) >= 6);
	expect(server.queued).toBe(0);
	one.open();
	two.open();
	await answers;
	const texts = (await Promise.all(batches)).map(({ text }) => text);
	expect(texts).toHaveLength(9);
	// No person came, so any slot will do.
	for (const { body } of requestsFor(server, '/chat/completions'))
		expect(body).not.toHaveProperty('id_slot');
});

test('a batch waits for an idle slot, a person and an agent do not', async () => {
	const server = await start({ slots: 2 });
	const [busy, other] = (await startWorkers(server, 2)) as [Worker, Worker];
	const { one, two, answers } = await fill(server, busy);
	const batch = other.generate('batch');
	await server.until(() => looks(server) > 1);
	expect(server.queued).toBe(0);
	const [person, agent] = [other.generate('person'), other.generate('agent')];
	await server.until(() => server.queued === 2);
	one.open();
	two.open();
	await Promise.all([answers, person, agent]);
	expect(await batch).toMatchObject({ log: { waitedInN8nMs: expect.any(Number) } });
});

test('for a minute after a person a batch leaves one slot free', async () => {
	const server = await start({ slots: 2 });
	const [worker] = (await startWorkers(server, 1)) as [Worker];
	await worker.generate('person');
	const { open, answer } = gated();
	server.script(answer);
	const first = worker.generate('agent');
	await server.until(() => server.slots().some(({ busy }) => busy));
	const batch = worker.generate('batch');
	await server.until(() => looks(server) > 1);
	expect(server.slots().filter(({ busy }) => busy)).toHaveLength(1);
	const { clock: clockOfWorker } = worker.modules.clock;
	const now = clockOfWorker.now();
	jest.spyOn(clockOfWorker, 'now').mockReturnValue(now + 61_000);
	await batch;
	open();
	await first;
});

test('batches of two workers that saw the same idle slot leave another to the next person', async () => {
	const server = await start({ slots: 3 });
	const [one, other] = (await startWorkers(server, 2)) as [Worker, Worker];
	for (const worker of [one, other]) {
		const { clock: clockOfWorker } = worker.modules.clock;
		jest.spyOn(clockOfWorker, 'now').mockReturnValue(clockOfWorker.now());
		await worker.generate('person');
		// Its look stays valid, because the clock stands still.
		await worker.generate('batch');
	}
	const { open, answer } = gated();
	server.script(answer);
	const batches = [one.generate('batch'), other.generate('batch')];
	await server.until(() => server.queued === 1);
	expect(await one.generate('person')).toMatchObject({ finishReason: 'stop' });
	expect(server.queued).toBe(1);
	open();
	await Promise.all(batches);
	const named = requestsFor(server, '/chat/completions').map(({ body }) => body);
	expect(named.slice(-3)).toMatchObject([{ id_slot: 1 }, { id_slot: 1 }, {}]);
	expect(named.at(-1)).not.toHaveProperty('id_slot');
});

/** Sends persons until one is served: a look for a person ends after 250 ms, which a busy machine may miss. */
async function servePersons(worker: Worker) {
	const persons: Array<ReturnType<Worker['generate']>> = [];
	let served: Awaited<ReturnType<Worker['generate']>> | undefined;
	while (served === undefined) {
		persons.push(worker.generate('person'));
		served = await Promise.race([...persons, delay(1_000, undefined)]);
	}
	return { served, all: Promise.all(persons) };
}

test('a person who finds no idle slot gets that of a batch of this process', async () => {
	const server = await start({ slots: 2 });
	const [busy, worker] = (await startWorkers(server, 2)) as [Worker, Worker];
	const [one, two] = [gated(), gated()];
	server.script(one.answer, two.answer);
	const agent = busy.generate('agent');
	await server.until(() => server.slots().some(({ busy: isBusy }) => isBusy));
	const batch = worker.generate('batch');
	await server.until(() => server.slots().every(({ busy: isBusy }) => isBusy));
	const persons = await servePersons(worker);
	expect(persons.served).toMatchObject({ finishReason: 'stop' });
	one.open();
	await Promise.all([agent, persons.all]);
	expect(await batch).toMatchObject({ finishReason: 'stop', log: { placesGivenUp: 1 } });
});

test('a new worker finds out what the server is before its first batches', async () => {
	const server = await start({ slots: 2 });
	const [busy] = (await startWorkers(server, 1)) as [Worker];
	const { one, two, answers } = await fill(server, busy);
	const worker = new Worker(server, await ownModules());
	const batches = [worker.generate('batch'), worker.generate('batch')];
	await server.until(() => looks(server) > 1);
	expect(server.queued).toBe(0);
	one.open();
	two.open();
	await Promise.all([answers, ...batches]);
});

test.each([
	[{ is_processing: true }, true],
	[{ is_processing: false }, false],
	[{ state: 0 }, false],
	[{ state: 1 }, true],
	[{}, false],
])('a slot is busy by either form: %j', (slot, isBusy) => {
	expect(isBusySlot(slot)).toBe(isBusy);
});

describe('the slot for a batch', () => {
	const use = fc
		.array(fc.boolean(), { minLength: 1, maxLength: 8 })
		.map((busy) => ({ total: busy.length, idle: [...busy.keys()].filter((id) => !busy[id]) }));

	test('is an idle one, and never the last one, as long as two are idle', () => {
		fc.assert(
			fc.property(use, (slots) => {
				const idle = [...slots.idle];
				const isFull = slots.total > 1 && idle.length < 2;
				const choice = takeSlot(slots, slots.total > 1);
				if (isFull) expect(choice).toBe('none');
				else if (slots.total > 1) expect(idle.slice(0, -1)).toContain(choice);
			}),
		);
	});

	test('each is taken once, and with persons one stays idle', () => {
		fc.assert(
			fc.property(use, fc.boolean(), (slots, hasPersons) => {
				const { length } = slots.idle;
				let taken = 0;
				while (takeSlot(slots, hasPersons) !== 'none') taken++;
				const spare = hasPersons && slots.total > 1 ? 1 : 0;
				expect(taken).toBe(Math.max(0, length - spare));
			}),
		);
	});
});

test('it waits a minute at most', async () => {
	const server = await start({ slots: 2 });
	const [busy, worker] = (await startWorkers(server, 2)) as [Worker, Worker];
	const { one, two, answers } = await fill(server, busy);
	const { clock: clockOfWorker } = worker.modules.clock;
	const batch = worker.generate('batch');
	await server.until(() => looks(server) > 0);
	const now = clockOfWorker.now();
	jest.spyOn(clockOfWorker, 'now').mockReturnValue(now + 61_000);
	await server.until(() => server.queued === 1);
	one.open();
	two.open();
	await answers;
	expect(await batch).toMatchObject({ finishReason: 'stop' });
});

test('waiting ends when it is stopped', async () => {
	const server = await start({ slots: 2 });
	const [worker] = (await startWorkers(server, 1)) as [Worker];
	const { one, two, answers } = await fill(server, worker);
	const stop = new AbortController();
	const batch = worker.generate('batch', stop.signal);
	await server.until(() => looks(server) > 0);
	stop.abort();
	await expect(batch).rejects.toMatchObject({ kind: 'aborted' });
	one.open();
	two.open();
	await answers;
});

describe('no look', () => {
	test('outside of queue mode', async () => {
		env.EXECUTIONS_MODE = 'regular';
		const server = await start();
		const [worker] = (await startWorkers(server, 1)) as [Worker];
		await worker.generate('batch');
		expect(looks(server)).toBe(0);
	});

	test('for a minute at a server that does not show its slots', async () => {
		const server = await startScripted((_request, response) =>
			json(response, { error: { code: 501, message: 'not supported' } }, 501),
		);
		const connection = connectTo({ baseUrl: server.url });
		learnFromHeaders(connection, { server: 'llama.cpp' }, 'm');
		await waitForIdleSlot(connection, { priority: 'batch' }, 'm');
		await waitForIdleSlot(connection, { priority: 'batch' }, 'm');
		expect(server.requests.map(({ path }) => path)).toEqual(['/slots']);
		await server.close();
	});

	test('at a server of another kind', async () => {
		const server = await start({ profile: 'vllm' });
		const [worker] = (await startWorkers(server, 1)) as [Worker];
		await worker.generate('batch');
		expect(looks(server)).toBe(0);
	});
});
