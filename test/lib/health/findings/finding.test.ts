import fc from 'fast-check';

import {
	agoOf,
	describeProbe,
	fromFailure,
	failureFor,
	overallStatus,
	sorted,
	statusOf,
	withTestFindings,
	type FindingWithStatus,
} from '../../../../lib/health/findings/finding';
import type { HealthStatus, Probe, Severity } from '../../../../lib/health/observations';

const STATUSES: HealthStatus[] = [
	'unreachable',
	'unauthorized',
	'loading',
	'misconfigured',
	'degraded',
	'healthy',
];
const finding = (severity: Severity, status?: HealthStatus, id = 'x'): FindingWithStatus => ({
	id,
	severity,
	observed: 'o',
	meaning: 'm',
	advice: 'a',
	...(status === undefined ? {} : { status }),
});

const asked = { method: 'GET', url: 'http://h/props', ms: 12.4 } as const;
const answered = (more: object = {}): Probe => ({
	...asked,
	answered: true,
	status: 200,
	headers: {},
	text: '',
	json: undefined,
	...more,
});

describe('the order of findings', () => {
	const findings = fc.array(
		fc
			.tuple(
				fc.constantFrom<Severity>('error', 'warning', 'info'),
				fc.option(fc.constantFrom(...STATUSES.slice(0, 5)), { nil: undefined }),
			)
			.map(([severity, status]) => finding(severity, status)),
		{ maxLength: 8 },
	);

	test('none is lost, errors come before warnings before hints, equals stay in their order', () => {
		fc.assert(
			fc.property(findings, (all) => {
				const numbered = all.map((one, at) => ({ ...one, id: String(at) }));
				const out = sorted(numbered);
				expect(new Set(out)).toEqual(new Set(numbered));
				const weights = out.map(({ severity }) => ['error', 'warning', 'info'].indexOf(severity));
				expect(weights).toEqual([...weights].sort((one, other) => one - other));
				for (const [at, one] of out.entries()) {
					const next = out[at + 1];
					if (next !== undefined && next.severity === one.severity && next.status === one.status)
						expect(Number(one.id)).toBeLessThan(Number(next.id));
				}
			}),
		);
	});

	test('the worst status decides, whatever the order; none is healthy', () => {
		fc.assert(
			fc.property(findings, (all) => {
				const worst = all.reduce<HealthStatus>(
					(status, one) => withTestFindings({ status, findings: [] }, [one]).status,
					'healthy',
				);
				expect(overallStatus(all)).toBe(worst);
				expect(overallStatus([...all].reverse())).toBe(worst);
			}),
		);
		expect(overallStatus([])).toBe('healthy');
		const worse = (check: HealthStatus, tested: HealthStatus) =>
			withTestFindings({ status: check, findings: [] }, [finding('error', tested)]).status;
		expect([
			worse('degraded', 'unreachable'),
			worse('healthy', 'loading'),
			worse('healthy', 'healthy'),
		]).toEqual(['unreachable', 'loading', 'healthy']);
	});
});

describe('what a failure says about the server', () => {
	test.each([
		['refused', 'unreachable'],
		['gateway', 'unreachable'],
		['unauthorized', 'unauthorized'],
		['proxyRefuses', 'unauthorized'],
		['loading', 'loading'],
		['busy', 'degraded'],
		['tlsMismatch', 'misconfigured'],
		['notAnApi', 'misconfigured'],
	] as const)('%s is %s', (kind, status) => {
		expect(statusOf(kind)).toBe(status);
		expect(fromFailure(failureFor(kind), 'seen')).toMatchObject({
			id: kind,
			severity: 'error',
			observed: 'seen',
			status,
		});
	});

	test('the words are those of the nodes, without the gaps that unknown facts leave', () => {
		expect(failureFor('modelNotFound').message).toBe('The server does not know the model');
		expect(failureFor('unreachable', { host: 'nas' }).message).toBe('There is no route to "nas"');
	});
});

describe('a question in one line', () => {
	test.each([
		[
			{ kind: 'refused', message: 'm', remedy: 'r', code: 'ECONNREFUSED' },
			'ECONNREFUSED after 12 ms',
		],
		[{ kind: 'totalLimit', message: 'm', remedy: 'r', code: 'X' }, 'no answer after 12 ms'],
		[
			{ kind: 'totalLimit', message: 'm', remedy: 'r', began: true },
			'an answer without end after 12 ms',
		],
		[
			{ kind: 'notHttp', message: 'No HTTP', remedy: 'r', code: 'HPE invalid' },
			'No HTTP after 12 ms',
		],
	] as const)('%j', (failure, told) => {
		expect(describeProbe({ ...asked, answered: false, failure })).toBe(
			`GET http://h/props: ${told}`,
		);
	});

	test('a status, where the answer came from, and what was said, on one line and short', () => {
		expect(describeProbe(answered())).toBe('GET http://h/props: HTTP 200');
		expect(describeProbe(answered({ endedAt: 'http://other/props' }))).toBe(
			'GET http://h/props: HTTP 200 from http://other/props',
		);
		const failure = {
			kind: 'serverError',
			message: 'm',
			remedy: 'r',
			serverText: ` a\n b ${'x'.repeat(500)}`,
		};
		const said = describeProbe(answered({ status: 500, failure }));
		expect(said).toMatch(/^GET http:\/\/h\/props: HTTP 500, "a b x+…"$/);
		expect(said.length).toBeLessThan(160);
	});

	test('how long ago, in seconds or minutes', () => {
		expect(
			[400, 12_300, 89_000, 150_000].map((msAgo) => agoOf({ status: 'healthy', msAgo })),
		).toEqual(['0 s ago', '12 s ago', '89 s ago', '3 minutes ago']);
	});
});
