import type { LoadProfile, RunRecord, Sample } from '../../bench/soak/types';
import type { Workflow } from '../../scripts/lib/types';
import { fs, http, setImmediate } from '../support/node-builtins';
import { loadModule } from '../support/scripts';

interface Verdict {
	name: string;
	judged: boolean;
	flat: boolean;
}
interface Result {
	samples: Sample[];
	runs: RunRecord[];
	lastsMs: number;
}
interface ReportScript {
	judge(result: Result): Verdict[];
	unexpectedRuns(runs: RunRecord[]): RunRecord[];
	isFlat(result: Result): boolean;
	formatReport(result: Result & { plan: object; command: string; machine: string }): string;
}
interface LoadScript {
	sequence(seed: number): () => { profile: LoadProfile; fault: string };
}
interface ProfilesScript {
	LOAD_PROFILES: LoadProfile[];
}
interface FaultProxyScript {
	startFaultProxy(target: string): Promise<{ url: string; open(): number; stop(): void }>;
}
interface WorkflowsScript {
	createWorkflows(n8n: object, urls: object, keys: object): Promise<Map<string, string>>;
}

const script = async <T>(name: string): Promise<T> => await loadModule<T>(`bench/soak/${name}`);
const MEGABYTE = 2 ** 20;
const LASTS_MS = 600_000;

/** Sixty measurements in ten minutes; `more` overrides constant values. */
const samples = (more: (at: number) => Partial<Sample> = () => ({})): Sample[] =>
	Array.from({ length: 60 }, (_, at) => ({
		heapUsed: 200 * MEGABYTE,
		external: 10 * MEGABYTE,
		rss: 400 * MEGABYTE,
		openSockets: 2,
		sockets: 4,
		timers: 30,
		abortListeners: 12,
		abortSignals: 6,
		pools: 8,
		...more(at),
	}));

const run = (atMs: number, more: Partial<RunRecord> = {}): RunRecord => ({
	profile: 'Dify workflow',
	fault: '',
	atMs,
	ms: 100,
	outcome: 'answered',
	text: '',
	...more,
});
const runs = (more: (atMs: number) => Partial<RunRecord> = () => ({})): RunRecord[] =>
	Array.from({ length: 600 }, (_, at) => run(at * 1000, more(at * 1000)));

const result = (some: Sample[], done = runs()): Result => ({
	samples: some,
	runs: done,
	lastsMs: LASTS_MS,
});
const growing = async (some: Sample[], done = runs()): Promise<string[]> => {
	const { judge } = await script<ReportScript>('report');
	return judge(result(some, done))
		.filter(({ judged, flat }) => judged && !flat)
		.map(({ name }) => name);
};

describe('the verdict', () => {
	test('constant and shrinking values are flat', async () => {
		expect(await growing(samples())).toEqual([]);
		expect(
			await growing(samples((at) => ({ heapUsed: (200 - at) * MEGABYTE, timers: 60 - at }))),
		).toEqual([]);
	});

	test.each<[string, (at: number) => Partial<Sample>]>([
		['JavaScript heap', (at) => ({ heapUsed: (200 + at / 4) * MEGABYTE })],
		['Memory outside of the heap', (at) => ({ external: (10 + at / 20) * MEGABYTE })],
		['Open sockets', (at) => ({ openSockets: 2 + Math.floor(at / 15) })],
		['Socket objects', (at) => ({ sockets: 4 + at })],
		['Timers', (at) => ({ timers: 10 + at })],
		['Listeners of abort signals', (at) => ({ abortListeners: 12 + at })],
		['Connection pools of the package', (at) => ({ pools: 8 + at })],
	])('%s that grows is named, and nothing else', async (name, more) => {
		expect(await growing(samples(more))).toEqual([name]);
	});

	test('4 % more heap is flat, 6 % is growth', async () => {
		const with_ = (share: number) =>
			samples((at) => ({ heapUsed: (at < 30 ? 200 : 200 * share) * MEGABYTE }));
		expect(await growing(with_(1.04))).toEqual([]);
		expect(await growing(with_(1.06))).toEqual(['JavaScript heap']);
	});

	test('one more counted object is not growth', async () => {
		expect(await growing(samples((at) => ({ sockets: at < 30 ? 4 : 5 })))).toEqual([]);
	});

	test('slower runs at the end are growth, unless they have a fault', async () => {
		const isAtEnd = (atMs: number) => atMs >= LASTS_MS - 60_000;
		const slower = runs((atMs) => (isAtEnd(atMs) ? { ms: 120 } : {}));
		expect(await growing(samples(), slower)).toEqual(['Time of a run']);
		const excused = runs((atMs) =>
			isAtEnd(atMs) && atMs % 3000 !== 0 ? { ms: 900, fault: 'cut' } : {},
		);
		expect(await growing(samples(), excused)).toEqual([]);
	});

	test('more runs of slow load profiles at the end are not growth', async () => {
		const mixed = runs((atMs) => {
			const slow = atMs % (atMs >= LASTS_MS / 2 ? 2000 : 5000) === 0;
			return slow ? { profile: 'Vectors', ms: 400 } : {};
		});
		expect(await growing(samples(), mixed)).toEqual([]);
	});

	test('a run that hangs, or fails without a fault, is unexpected', async () => {
		const { unexpectedRuns, isFlat } = await script<ReportScript>('report');
		const odd = [run(1, { outcome: 'hung', fault: 'silence' }), run(2, { outcome: 'failed' })];
		const expected = [
			run(3),
			run(4, { outcome: 'failed', fault: 'cut' }),
			run(6, { outcome: 'left', fault: 'leave' }),
		];
		expect(unexpectedRuns([...odd, ...expected])).toEqual(odd);
		expect(isFlat(result(samples()))).toBe(true);
		expect(isFlat(result(samples(), [...runs(), ...odd]))).toBe(false);
	});

	test('is in the report, with the command', async () => {
		const { formatReport } = await script<ReportScript>('report');
		const plan = { concurrency: 4, seed: 1 };
		const command = 'npm run bench -- soak --minutes 10';
		const growingTimers = samples((at) => ({ timers: 30 + at }));
		const page = formatReport({ ...result(growingTimers), plan, command, machine: 'a machine' });
		expect(page).toContain(command);
		expect(page).toContain('| JavaScript heap | 200.0 MB | 200.0 MB | 0.0 % | flat |');
		expect(page).toMatch(/\| Timers \| .* \| \*\*grows\*\* \|/);
	});
});

describe('the load', () => {
	const takeFirst = async (seed: number, count: number) => {
		const next = (await script<LoadScript>('load')).sequence(seed);
		return Array.from({ length: count }, () => {
			const { profile, fault } = next();
			return `${profile.name}: ${fault}`;
		});
	};

	test('has the same order for the same seed, and another order for another seed', async () => {
		expect(await takeFirst(7, 200)).toEqual(await takeFirst(7, 200));
		expect(await takeFirst(7, 200)).not.toEqual(await takeFirst(8, 200));
	});

	test('has every load profile with each of its faults within an hour', async () => {
		const { LOAD_PROFILES } = await script<ProfilesScript>('load-profiles');
		const seen = new Set(await takeFirst(1, 5000));
		const expectedLoads = LOAD_PROFILES.flatMap(({ name, faults, always }) =>
			always === undefined
				? ['', ...faults].map((fault) => `${name}: ${fault}`)
				: [`${name}: ${always}`],
		);
		expect(expectedLoads.filter((each) => !seen.has(each))).toEqual([]);
	});

	test('has a workflow for each load profile', async () => {
		const { createWorkflows } = await script<WorkflowsScript>('workflows');
		const { LOAD_PROFILES } = await script<ProfilesScript>('load-profiles');
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
		const urls = { chat: 'http://chat', embed: 'http://embed', dify: 'http://dify' };
		await createWorkflows(n8n, urls, { chat: 'app-1', workflow: 'app-2' });
		expect(activated).toEqual(LOAD_PROFILES.map(({ name }) => name));
		const types = created.flatMap(({ nodes }) => nodes.map(({ type }) => type));
		const { n8n: manifest } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as {
			n8n: { nodes: string[] };
		};
		const known = manifest.nodes.map((file) =>
			file.replace(
				/^.*\/(.)(.*)\.node\.js$/,
				(_, a: string, b: string) => `CUSTOM.${a.toLowerCase()}${b}`,
			),
		);
		const own = types.filter((type) => type.startsWith('CUSTOM.'));
		expect(own.length).toBeGreaterThan(6);
		expect(own.filter((type) => !known.includes(type))).toEqual([]);
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
		const { startFaultProxy } = await script<FaultProxyScript>('fault-proxy');
		proxy = await startFaultProxy(`http://127.0.0.1:${port}`);
	});
	afterAll(() => {
		proxy.stop();
		server.close();
	});

	const send = async (text: string, signal?: AbortSignal) => {
		const response = await fetch(proxy.url, {
			method: 'POST',
			body: JSON.stringify({ text }),
			signal,
		});
		let body = '';
		const decoder = new TextDecoder();
		try {
			for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>)
				body += decoder.decode(piece);
		} catch {
			return { status: response.status, read: body, whole: false };
		}
		return { status: response.status, read: body, whole: true };
	};

	test('forwards a request, immediately or slowly', async () => {
		const whole = { status: 200, read: EVENTS.join(''), whole: true };
		expect(await send('Hello')).toEqual(whole);
		expect(await send('Hello [[slow]]')).toEqual(whole);
	});

	test('causes the fault that the text requests', async () => {
		await expect(send('Hello [[reset]]')).rejects.toThrow('fetch failed');
		expect(await send('Hello [[error]]')).toMatchObject({ status: 500, whole: true });
		expect(await send('Hello [[html]]')).toMatchObject({
			status: 502,
			read: expect.stringMatching('<html>') as string,
		});
		const truncated = await send('Hello [[cut]]');
		expect(truncated).toMatchObject({ status: 200, whole: false });
		expect(EVENTS.join('').startsWith(truncated.read)).toBe(true);
	});

	test('sends nothing until the caller disconnects, and detects that', async () => {
		const leaving = new AbortController();
		const pending = send('Hello [[silence]]', leaving.signal);
		while (proxy.open() === 0)
			await new Promise((resolve) => setImmediate(() => resolve(undefined)));
		leaving.abort();
		await expect(pending).rejects.toThrow();
		while (proxy.open() > 0) await new Promise((resolve) => setImmediate(() => resolve(undefined)));
		expect(proxy.open()).toBe(0);
	});
});
