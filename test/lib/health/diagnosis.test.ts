import { ADVICE, type AdviceId } from '../../../lib/health/advice';
import { diagnose } from '../../../lib/health/diagnosis';
import type { Observations, Probe } from '../../../lib/health/observations';
import { ofTable } from '../../../lib/health/finding';
import type { FailureKind } from '../../../lib/errors/kinds';

const ROOT = 'http://10.0.0.5:8080';

function answered(path: string, json: unknown, more: Partial<Extract<Probe, { answered: true }>> = {}): Probe {
	return {
		method: 'GET',
		url: ROOT + path,
		ms: 5,
		answered: true,
		status: 200,
		headers: { server: 'llama.cpp' },
		text: JSON.stringify(json),
		json,
		...more,
	};
}

function failed(path: string, kind: FailureKind, code?: string): Probe {
	return {
		method: 'GET',
		url: ROOT + path,
		ms: 5,
		answered: false,
		failure: { ...ofTable(kind, { host: '10.0.0.5', port: '8080', code }), code },
	};
}

function observations(more: Partial<Observations> = {}): Observations {
	return {
		service: 'modelServer',
		url: { typed: ROOT, origin: ROOT, root: ROOT, api: `${ROOT}/v1` },
		keySet: true,
		authentication: 'bearer',
		maxConcurrentRequests: 0,
		probes: {
			health: answered('/health', { status: 'ok' }),
			models: answered('/v1/models', { data: [{ id: 'm', owned_by: 'llamacpp', meta: { n_ctx: 16384 } }] }),
			props: answered('/props', {
				build_info: 'b1',
				total_slots: 1,
				default_generation_settings: { n_ctx: 16384 },
				is_sleeping: false,
			}),
		},
		perModel: {},
		alternatives: [],
		expectations: {},
		checkMs: 10,
		...more,
	};
}

describe('the diagnosis is a pure function', () => {
	it('says the same about the same, and changes nothing', () => {
		const seen = observations();
		const before = JSON.stringify(seen);
		expect(diagnose(seen)).toEqual(diagnose(seen));
		expect(JSON.stringify(seen)).toBe(before);
	});

	it.each([
		['dns', 'ENOTFOUND', 'unreachable'],
		['dns', 'EAI_AGAIN', 'unreachable'],
		['refused', 'ECONNREFUSED', 'unreachable'],
		['connectTimeout', 'ETIMEDOUT', 'unreachable'],
		['unreachable', 'EHOSTUNREACH', 'unreachable'],
		['unreachable', 'ENETUNREACH', 'unreachable'],
		['tlsMismatch', 'ERR_SSL_WRONG_VERSION_NUMBER', 'misconfigured'],
		['tlsUntrusted', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'misconfigured'],
		['notHttp', 'HPE_INVALID_CONSTANT', 'misconfigured'],
		['closedBeforeAnswer', 'ECONNRESET', 'unreachable'],
	] as const)('%s (%s) is %s, with the code in what was observed', (kind, code, status) => {
		const probes = Object.fromEntries(
			['health', 'models', 'props'].map((name) => [name, failed(`/${name}`, kind, code)]),
		);
		const result = diagnose(observations({ probes }));
		expect(result).toMatchObject({
			status,
			findings: [{ id: kind, severity: 'error', observed: `GET ${ROOT}/health: ${code} after 5 ms` }],
		});
		expect(result.findings[0]!.advice).toBe(ofTable(kind, { host: '10.0.0.5', port: '8080', code }).remedy);
	});

	it('of several failures, the one that says most', () => {
		const probes = {
			health: failed('/health', 'closedBeforeAnswer', 'ECONNRESET'),
			models: failed('/v1/models', 'refused', 'ECONNREFUSED'),
		};
		expect(diagnose(observations({ probes })).findings[0]!.id).toBe('refused');
	});

	it('another machine refuses: names the flags that open it', () => {
		const probes = { health: failed('/health', 'refused', 'ECONNREFUSED') };
		const [found] = diagnose(observations({ probes })).findings;
		expect(found!.meaning).toBe('The machine "10.0.0.5" answers, but nothing listens on port 8080');
		expect(found!.advice).toMatch(/--host 0\.0\.0\.0 \(Ollama: OLLAMA_HOST=0\.0\.0\.0\)/);
	});

	it('a server that answered long ago tells nothing about now', () => {
		const probes = { health: failed('/health', 'refused', 'ECONNREFUSED') };
		const ids = (msAgo: number) =>
			diagnose(observations({ probes, before: { status: 'healthy', msAgo } })).findings.map(({ id }) => id);
		expect(ids(60_000)).toEqual(['serverExited']);
		expect(ids(24 * 3600_000)).toEqual(['refused']);
		expect(diagnose(observations({ probes, before: { status: 'healthy', msAgo: 600_000 } })).summary).toBe(
			'The server answered 10 minutes ago and has exited since.',
		);
	});

	it('slow: a warning that changes nothing about the status', () => {
		const slow = Object.fromEntries(
			Object.entries(observations().probes).map(([name, probe]) => [name, { ...probe, ms: 1700 }]),
		);
		expect(diagnose(observations({ probes: slow }))).toMatchObject({
			status: 'healthy',
			summary: 'llama-server b1 answers in 1700 ms with 1 model, with 1 warning.',
			findings: [{ id: 'slow', severity: 'warning', meaning: 'The server took 1700 ms for a simple answer' }],
		});
	});

	it('errors first, then warnings, then hints; the worst error decides', () => {
		const props = answered('/props', {
			total_slots: 2,
			default_generation_settings: { n_ctx: 512 },
			modalities: { vision: false },
			is_sleeping: true,
		});
		const metrics = answered('/metrics', undefined, { status: 501, text: '' });
		const result = diagnose(
			observations({
				probes: { ...observations().probes, props, metrics },
				expectations: { vision: true, minSlots: 4 },
			}),
		);
		expect(result.status).toBe('misconfigured');
		expect(result.findings.map(({ severity, id }) => `${severity} ${id}`)).toEqual([
			'error modalityUnsupported',
			'error slotsTooFew',
			'warning contextSmall',
			'info sleeping',
			'info metricsOff',
		]);
		expect(result.summary).toBe(`${result.findings[0]!.meaning}.`);
	});

	it('something that is no server this package knows, but has a model list', () => {
		const models = answered('/v1/models', { data: [{ id: 'm' }] }, { headers: {} });
		const result = diagnose(observations({ probes: { models } }));
		expect(result).toMatchObject({ status: 'healthy', report: { server: { kind: 'openAiCompatible' } } });
	});

	it('every finding has something to say and something to do', () => {
		const facts = {
			model: 'm',
			others: ['a'],
			port: '8080',
			host: 'h',
			server: 'ollama' as const,
			exitCode: 1,
			args: '-x',
			context: 1,
			wanted: 2,
			slots: 2,
			count: 1,
			ms: 5,
			ago: '5 s ago',
			url: ROOT,
			percent: 40,
			what: 'vision',
		};
		for (const id of Object.keys(ADVICE) as AdviceId[]) {
			const { meaning, advice } = ADVICE[id](facts);
			expect({ id, meaning, advice }).toEqual({
				id,
				meaning: expect.stringMatching(/^\S.{10,}[^.]$/) as string,
				advice: expect.stringMatching(/^[A-Z].{10,}[^ ]$/) as string,
			});
			expect(`${meaning} ${advice}`).not.toMatch(/undefined|""| {2}/);
		}
	});
});
