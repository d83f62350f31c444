import type { Kind, RunRecord, SoakPlan, TimedSample, Verdict } from '../../bench/soak/types';
import type { Workflow } from '../../scripts/lib/types';
import { fs, http, setImmediate } from '../support/node';
import { loadModule } from '../support/scripts';

interface Result {
	plan: SoakPlan;
	command: string;
	date: Date;
	machine: string;
	versions: string;
	lastsMs: number;
	samples: TimedSample[];
	runs: RunRecord[];
	restarts: number;
}
interface ReportScript {
	judge(samples: TimedSample[], runs: RunRecord[], lastsMs: number): Verdict[];
	unexpectedRuns(runs: RunRecord[]): RunRecord[];
}
interface PageScript {
	pageWith(page: string, result: Result): string;
	isFlat(result: Result): boolean;
}
interface PlanScript {
	planFrom(typed: Record<string, string | boolean>): SoakPlan;
}
interface LoadScript {
	sequence(seed: number, faultShare: number): () => { kind: Kind; fault: string };
}
interface KindsScript {
	KINDS: Kind[];
}
interface FaultProxyScript {
	startFaultProxy(
		name: string,
		target: string,
	): Promise<{ url: string; open(): number; stop(): void }>;
}
interface WorkflowsScript {
	createWorkflows(
		n8n: object,
		urls: object,
		keys: object,
		control: boolean,
	): Promise<Map<string, string>>;
}

const script = async <T>(name: string): Promise<T> => await loadModule<T>(`bench/soak/${name}`);
const MEGABYTE = 2 ** 20;
const LASTS_MS = 600_000;

/** One of sixty measurements in ten minutes; `more` overrides constant values. */
const sample = (at: number, more: Partial<TimedSample> = {}): TimedSample => ({
	atMs: (at + 1) * 10_000,
	runs: at * 50,
	heapUsed: 200 * MEGABYTE,
	external: 10 * MEGABYTE,
	arrayBuffers: MEGABYTE,
	rss: 400 * MEGABYTE,
	resources: { TCPSocketWrap: 2, Timeout: 10 },
	fileHandles: { socket: 5, file: 20 },
	listeners: 40,
	abortListeners: 12,
	abortSignals: 6,
	sockets: 4,
	timers: { 'ping in 2000 ms': 30 },
	restMs: 7000,
	measureMs: 2000,
	pools: 8,
	caches: { '/dist/index.js a': 5 },
	...more,
});
const samples = (more: (at: number) => Partial<TimedSample> = () => ({})): TimedSample[] =>
	Array.from({ length: 60 }, (_, at) => sample(at, more(at)));

const run = (atMs: number, more: Partial<RunRecord> = {}): RunRecord => ({
	kind: 'Dify workflow',
	fault: '',
	atMs,
	ms: 100,
	outcome: 'answered',
	disturbed: false,
	...more,
});
const runs = (more: (atMs: number) => Partial<RunRecord> = () => ({})): RunRecord[] =>
	Array.from({ length: 600 }, (_, at) => run(at * 1000, more(at * 1000)));

const growing = async (some: TimedSample[], done = runs()): Promise<string[]> => {
	const { judge } = await script<ReportScript>('report');
	return judge(some, done, LASTS_MS)
		.filter(({ judged, flat }) => judged && !flat)
		.map(({ name }) => name);
};

describe('the verdict', () => {
	test('constant and shrinking values are flat', async () => {
		expect(await growing(samples())).toEqual([]);
		expect(
			await growing(samples((at) => ({ heapUsed: (200 - at) * MEGABYTE, timers: { a: 60 - at } }))),
		).toEqual([]);
	});

	test.each<[string, (at: number) => Partial<TimedSample>]>([
		['JavaScript heap', (at) => ({ heapUsed: (200 + at / 4) * MEGABYTE })],
		['Memory outside of the heap', (at) => ({ external: (10 + at / 20) * MEGABYTE })],
		[
			'Open sockets',
			(at) => ({ resources: { TCPSocketWrap: 2 + Math.floor(at / 15), Timeout: 10 } }),
		],
		['Socket objects', (at) => ({ sockets: 4 + at })],
		['Pending timers', (at) => ({ timers: { a: 20, b: 10 + at } })],
		['Listeners of abort signals', (at) => ({ abortListeners: 12 + at })],
		['Listeners of process, servers and sockets', (at) => ({ listeners: 40 + at })],
		['Connection pools of the package', (at) => ({ pools: 8 + at })],
		["Entries in the package's caches", (at) => ({ caches: { a: 5, b: at } })],
	])('%s that grows is named, and nothing else', async (name, more) => {
		expect(await growing(samples(more))).toEqual([name]);
	});

	test('4 % more heap is flat, 6 % is not', async () => {
		const with_ = (share: number) =>
			samples((at) => ({ heapUsed: (at < 30 ? 200 : 200 * share) * MEGABYTE }));
		expect(await growing(with_(1.04))).toEqual([]);
		expect(await growing(with_(1.06))).toEqual(['JavaScript heap']);
	});

	test('a value that was 0 grows; one more of a counted thing does not', async () => {
		expect(await growing(samples((at) => ({ sockets: at < 30 ? 4 : 5 })))).toEqual([]);
		expect(await growing(samples((at) => ({ abortListeners: at < 30 ? 0 : 2 })))).toEqual([
			'Listeners of abort signals',
		]);
	});

	test('runs that take longer at the end are growth; runs with a fault or during a restart do not count', async () => {
		const late = (atMs: number) => atMs >= LASTS_MS - 60_000;
		expect(
			await growing(
				samples(),
				runs((atMs) => (late(atMs) ? { ms: 120 } : {})),
			),
		).toEqual(['Time of a run']);
		const excused = runs((atMs) =>
			late(atMs) && atMs % 3000 !== 0 ? { ms: 900, fault: 'cut' } : {},
		);
		expect(await growing(samples(), excused)).toEqual([]);
		const beside = runs((atMs) =>
			late(atMs) && atMs % 3000 !== 0 ? { ms: 900, disturbed: true } : {},
		);
		expect(await growing(samples(), beside)).toEqual([]);
	});

	test('more slow kinds at the end are no growth', async () => {
		const mixed = runs((atMs) => {
			const slow = atMs % (atMs >= LASTS_MS / 2 ? 2000 : 5000) === 0;
			return slow ? { kind: 'Vector store', ms: 400 } : {};
		});
		expect(await growing(samples(), mixed)).toEqual([]);
	});

	test('a run that hangs, or fails without a fault, is unexpected', async () => {
		const { unexpectedRuns } = await script<ReportScript>('report');
		const odd = [run(1, { outcome: 'hung', fault: 'silence' }), run(2, { outcome: 'failed' })];
		const expected = [
			run(3),
			run(4, { outcome: 'failed', fault: 'cut' }),
			run(5, { outcome: 'failed', disturbed: true }),
			run(6, { outcome: 'left', fault: 'leave' }),
		];
		expect(unexpectedRuns([...odd, ...expected])).toEqual(odd);
	});
});

describe('the plan', () => {
	test('half an hour: a minute and a half of warm-up, a measurement each half minute', async () => {
		const { planFrom } = await script<PlanScript>('plan');
		expect(planFrom({ minutes: '30' })).toEqual({
			minutes: 30,
			warmUpMs: 90_000,
			intervalMs: 30_000,
			seed: 1,
			atOnce: 4,
			faultShare: 0.2,
			control: false,
		});
		expect(planFrom({ hours: '8' })).toMatchObject({
			minutes: 480,
			warmUpMs: 600_000,
			intervalMs: 300_000,
		});
	});

	test.each([
		[
			{},
			'How long? For example: npm run bench -- soak --minutes 30, or npm run bench -- soak --hours 8',
		],
		[{ minutes: 'long' }, '--minutes must be a number from 3 to 60000, not "long".'],
		[{ hours: '0' }, '--hours must be a number from 0.05 to 1000, not "0".'],
		[{ minutes: '5', faults: '2' }, '--faults must be a number from 0 to 1, not "2".'],
	])('%j is refused with an error message', async (typed, sentence) => {
		const { planFrom } = await script<PlanScript>('plan');
		expect(() => planFrom(typed)).toThrow(sentence);
	});
});

describe('the load', () => {
	const first = async (seed: number, count: number, share = 0.2) => {
		const next = (await script<LoadScript>('load')).sequence(seed, share);
		return Array.from({ length: count }, () => {
			const { kind, fault } = next();
			return `${kind.name}: ${fault}`;
		});
	};

	test('comes in the same order for the same seed, and in another one for another', async () => {
		expect(await first(7, 200)).toEqual(await first(7, 200));
		expect(await first(7, 200)).not.toEqual(await first(8, 200));
	});

	test('has every kind of run with every fault of it within an hour', async () => {
		const { KINDS } = await script<KindsScript>('kinds');
		const seen = new Set(await first(1, 5000));
		const wanted = KINDS.flatMap(({ name, faults, always }) =>
			always === undefined
				? ['', ...faults].map((fault) => `${name}: ${fault}`)
				: [`${name}: ${always}`],
		);
		expect(wanted.filter((each) => !seen.has(each))).toEqual([]);
	});

	test('has no faults with a fault share of 0', async () => {
		const faults = new Set((await first(1, 500, 0)).map((each) => each.split(': ')[1]));
		expect([...faults].sort()).toEqual(['', 'stop']);
	});

	test.each([false, true])('has a workflow for each kind, control: %s', async (control) => {
		const { createWorkflows } = await script<WorkflowsScript>('workflows');
		const { KINDS } = await script<KindsScript>('kinds');
		const created: Workflow[] = [];
		const activated: string[] = [];
		const n8n = {
			createCredential: async ({ name }: { name: string }) =>
				await Promise.resolve({ id: `id of ${name}`, name }),
			createWorkflow: async (workflow: Workflow) => {
				created.push(workflow);
				return await Promise.resolve({ ...workflow, id: workflow.name });
			},
			activate: async (id: string) => {
				await Promise.resolve(activated.push(id));
			},
		};
		const urls = {
			chat: 'http://chat',
			flaky: 'http://flaky',
			embed: 'http://embed',
			dify: 'http://dify',
		};
		await createWorkflows(n8n, urls, { chat: 'app-1', workflow: 'app-2' }, control);
		expect(activated).toEqual(KINDS.map(({ name }) => name));
		const types = created.flatMap(({ nodes }) => nodes.map(({ type }) => type));
		const own = new Set(types.filter((type) => type.startsWith('CUSTOM.')));
		const { n8n: manifest } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as {
			n8n: { nodes: string[] };
		};
		const known = manifest.nodes.map((file) =>
			file.replace(/^.*\/(.)(.*)\.node\.js$/, (_, a: string, b: string) => a.toLowerCase() + b),
		);
		expect([...own].filter((type) => !known.includes(type.slice('CUSTOM.'.length)))).toEqual([]);
		expect(own.size > 0).toBe(!control);
		for (const { nodes, connections } of created) {
			const names = nodes.map(({ name }) => name);
			const targets = Object.values(connections).flatMap((kinds) =>
				Object.values(kinds).flatMap((outputs) =>
					outputs.flatMap((output) => (output ?? []).map(({ node }) => node)),
				),
			);
			expect(targets.filter((target) => !names.includes(target))).toEqual([]);
		}
	});
});

describe('a fault proxy', () => {
	const EVENTS = Array.from(
		{ length: 40 },
		(_, at) => `data: {"piece":${at},"text":"a piece of text"}\n\n`,
	);
	let server: http.Server;
	let proxy: Awaited<ReturnType<FaultProxyScript['startFaultProxy']>>;

	beforeAll(async () => {
		server = http.createServer((incoming, outgoing) => {
			incoming.resume();
			outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
			outgoing.end(EVENTS.join(''));
		});
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const { port } = server.address() as { port: number };
		proxy = await (
			await script<FaultProxyScript>('fault-proxy')
		).startFaultProxy('chat', `http://127.0.0.1:${port}`);
	});
	afterAll(() => {
		proxy.stop();
		server.close();
	});

	const ask = async (text: string, signal?: AbortSignal) => {
		const response = await fetch(proxy.url, {
			method: 'POST',
			body: JSON.stringify({ text }),
			signal,
		});
		let read = '';
		const decoder = new TextDecoder();
		try {
			for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>)
				read += decoder.decode(piece);
		} catch {
			return { status: response.status, read, whole: false };
		}
		return { status: response.status, read, whole: true };
	};

	test('lets a request pass, and one that is meant for another proxy', async () => {
		const whole = { status: 200, read: EVENTS.join(''), whole: true };
		expect(await ask('Hello')).toEqual(whole);
		expect(await ask('Hello [[flaky:reset]]')).toEqual(whole);
		expect(await ask('Hello [[any:slow]]')).toEqual(whole);
	});

	test('answers with the fault that the text asks for', async () => {
		await expect(ask('Hello [[any:reset]]')).rejects.toThrow('fetch failed');
		expect(await ask('Hello [[chat:error]]')).toMatchObject({ status: 500, whole: true });
		expect(await ask('Hello [[any:html]]')).toMatchObject({
			status: 502,
			read: expect.stringMatching('<html>') as string,
		});
		expect(await ask('Hello [[any:garbage]]')).toMatchObject({ status: 200, whole: true });
		const cut = await ask('Hello [[any:cut]]');
		expect(cut).toMatchObject({ status: 200, whole: false });
		expect(EVENTS.join('').startsWith(cut.read)).toBe(true);
	});

	test('sends nothing until the caller disconnects, and detects that', async () => {
		const leaving = new AbortController();
		const asked = ask('Hello [[any:silence]]', leaving.signal);
		while (proxy.open() === 0)
			await new Promise((resolve) => setImmediate(() => resolve(undefined)));
		leaving.abort();
		await expect(asked).rejects.toThrow();
		while (proxy.open() > 0) await new Promise((resolve) => setImmediate(() => resolve(undefined)));
		expect(proxy.open()).toBe(0);
	});
});

describe('the page', () => {
	const result = (more: Partial<Result> = {}, control = false): Result => ({
		plan: {
			minutes: 10,
			warmUpMs: 60_000,
			intervalMs: 10_000,
			atOnce: 4,
			faultShare: 0.2,
			seed: 1,
			control,
		},
		command: 'npm run bench -- soak --minutes 10',
		date: new Date('2026-01-02T03:04:05Z'),
		machine: '2 × a processor, 8 GiB',
		versions: 'n8n 2.41.1',
		lastsMs: LASTS_MS,
		samples: samples(),
		runs: runs(),
		restarts: 7,
		...more,
	});

	test('shows all values, and a new run replaces the old one of the same sort', async () => {
		const { pageWith } = await script<PageScript>('page');
		const first = pageWith('', result({ command: 'run number one' }));
		expect(first).toContain('| JavaScript heap | 200.0 MB | 200.0 MB | 0.0 % | flat |');
		expect(first).toContain(
			'Flat: nothing grew by more than 5 %. No run without a fault failed, and none hung.',
		);
		expect(first).toContain('| Dify workflow | 600 | 0 | 100 | 100 |');
		const withControl = pageWith(first, result({ command: 'the control' }, true));
		expect(withControl).toMatch(/run number one.*## Control.*the control/s);
		const again = pageWith(withControl, result({ command: 'the second' }));
		expect(again).toMatch(/the second.*## Control.*the control/s);
		expect(again).not.toContain('run number one');
	});

	test('names what grows and says where a run was stopped', async () => {
		const { isFlat, pageWith } = await script<PageScript>('page');
		const leaking = result({
			samples: samples((at) => ({ timers: { 'ping in 2000 ms': 30 + at } })),
			lastsMs: 300_000,
		});
		expect(isFlat(leaking)).toBe(false);
		expect(pageWith('', leaking)).toContain('Not flat: Pending timers +');
		expect(pageWith('', leaking)).toContain('More at the end: ping in 2000 ms 32.5 → 86.5.');
		expect(pageWith('', leaking)).toContain('5.0 minutes of 10 (stopped)');
	});

	test('a run that failed without a fault is not flat', async () => {
		const { isFlat } = await script<PageScript>('page');
		expect(isFlat(result())).toBe(true);
		expect(isFlat(result({ runs: [...runs(), run(5, { outcome: 'failed' })] }))).toBe(false);
	});
});
