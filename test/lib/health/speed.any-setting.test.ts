/** Rounds of a speed test, for each number of slots and each setting, and its findings for any speed. */
import type { CheckResult, HealthStatus } from '../../../lib/health/check-result';
import { concludeHealth, evaluateRules } from '../../../lib/health/check-result';
import { addSpeedTest, formatSeconds, SPEED_RULES } from '../../../lib/health/speed';
import type { SpeedOptions } from '../../../lib/health/speed';
import { createModelServer } from '../../../lib/servers/endpoint';
import { json, useServers } from '../../support/servers/scripted-server';
import type { Answer } from '../../support/servers/scripted-server';
import { expectApproved } from '../../support/approved/approved-table';
import { awaitOutcome, combine } from '../../support/approved/outcome';
import {
	CHAT,
	delta,
	LLAMA_SERVER,
	streamed,
	text,
	usage,
} from '../../guarantees/support/responses';
import path from 'node:path';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const start = useServers();
const OPTIONS: SpeedOptions = {
	model: 'm',
	tokens: 16,
	concurrency: 1,
	firstTokenMs: 5_000,
	totalMs: 9_000,
};
const LONG = streamed(
	...'one two three four'.split(' ').map((content) => delta({ content })),
	delta({}, 'stop'),
	usage({ prompt_tokens: 9, completion_tokens: 20, total_tokens: 29 }),
);

const health = (
	server: object = {},
	status: HealthStatus = 'healthy',
	models: object[] = [{ id: 'm' }],
): CheckResult =>
	({
		summary: 'S',
		status,
		healthy: status === 'healthy',
		findings: [{ id: 'before', severity: 'info', observed: 'o', detail: 'd', suggestion: 's' }],
		server: { type: 'llamaServer', ...server },
		models,
		checkedAt: 'now',
	}) as CheckResult;

interface Case {
	before: CheckResult;
	options?: Partial<SpeedOptions>;
	answer?: Answer;
	maxConcurrentRequests?: number;
}

const CASES: Readonly<Record<string, Case>> = {
	...Object.fromEntries(
		combine({
			slots: [undefined, 1, 3],
			concurrency: [0, 1, 2, 5],
			hasMiddleRound: [undefined, true],
			limit: [0, 2],
		})
			.filter(({ limit, hasMiddleRound }) => limit === 0 || hasMiddleRound === true)
			.map(({ slots, concurrency, hasMiddleRound, limit }) => [
				`${slots} slots, ${concurrency} at once, middle ${hasMiddleRound}, limit ${limit}`,
				{
					before: health({ slots }),
					options: { concurrency, hasMiddleRound },
					maxConcurrentRequests: limit,
				},
			]),
	),
	'degraded before': { before: health({}, 'degraded') },
	'misconfigured before': { before: health({}, 'misconfigured') },
	'unreachable before': { before: health({}, 'unreachable') },
	'other requests': { before: health({ busySlots: 2, queue: 1 }) },
	'one other request': { before: health({ busySlots: 1 }) },
	'no model chosen': { before: health(), options: { model: '' } },
	'no model chosen of two': {
		before: health({}, 'healthy', [{ id: 'm' }, { id: 'n' }]),
		options: { model: '' },
	},
	'an error': {
		before: health(),
		answer: json({ error: { message: 'no memory' } }, 500),
		options: { concurrency: 3 },
	},
	'one token': { before: health(), answer: text('@') },
	garbled: { before: health(), answer: text('@@@@ @@@@ @@@@') },
};

test('the rounds, findings and status of each setting', async () => {
	const rows = [];
	for (const [
		input,
		{ before, options, answer = LONG, maxConcurrentRequests = 0 },
	] of Object.entries(CASES)) {
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answer });
		const outcome = await awaitOutcome(async () => {
			const createServer = () =>
				createModelServer({ baseUrl: server.url, maxConcurrentRequests }, NO_EXECUTION);
			const target = { service: 'modelServer', createServer } as const;
			const { status, findings, speed } = await addSpeedTest(target, before, {
				...OPTIONS,
				...options,
			});
			const rounds = speed?.runs.map(
				({ concurrentRequests, generatedTokens, failures }) =>
					`${concurrentRequests} at once: ${generatedTokens} tokens, ${failures.map(({ type }) => type).join() || 'no failures'}`,
			);
			const failures = new Set<string>(
				speed?.runs.flatMap((run) => run.failures.map(({ type }) => type)),
			);
			// Whether deltas arrive at once depends on the machine.
			const found = findings
				.filter(({ id }) => id !== 'streamBuffered')
				.map(({ id, observed }) => (failures.has(id) ? id : `${id} (${observed})`));
			return `${status}; ${speed?.model}; ${rounds?.join(', ')}; ${found.join(', ')}`;
		});
		rows.push({
			input,
			outcome: `${server.sent(CHAT).length} requests; ${outcome}`.replace(
				/\d[\d.]* (?:tokens\/s|ms|GB)/g,
				'…',
			),
		});
	}
	expectApproved(
		path.join(__dirname, 'speed.any-setting.approved.txt'),
		rows,
		'A speed test sends its rounds, and no more',
	);
});

test('findings of each speed, order and status of findings, and seconds', () => {
	const speeds = combine({
		tokensPerSecond: [undefined, 3, 30],
		firstTokenMs: [undefined, 100],
		size: [0, 1e9 - 1, 1e9, 8e9],
		uncertainty: [false, 'It was busy'] as const,
	}).map(({ tokensPerSecond, firstTokenMs, size, uncertainty }) => ({
		input: `${tokensPerSecond} tokens/s, first after ${firstTokenMs}, ${size} bytes, ${uncertainty}`,
		outcome: evaluateRules(SPEED_RULES, {
			run: { concurrentRequests: 1, tokensPerSecond, firstTokenMs, failures: [] },
			size,
			uncertainty,
		}).map(({ id, observed, detail }) => `${id}: ${observed} | ${detail}`),
	}));
	const finding = (id: string, severity: 'error' | 'warning' | 'info', status?: HealthStatus) => ({
		...{ id, severity, observed: `<b>${id}</b>`, detail: 'd', suggestion: 's' },
		status,
	});
	const FINDINGS = [
		finding('i', 'info'),
		finding('w', 'warning'),
		finding('wd', 'warning', 'degraded'),
		finding('e', 'error'),
		finding('em', 'error', 'misconfigured'),
		finding('eu', 'error', 'unreachable'),
	];
	const orders = combine({
		a: [0, 1, 2, 3, 4, 5],
		b: [0, 2, 4, 5],
		initial: [undefined, 'loading'] as const,
	}).map(({ a, b, initial }) => {
		const both = [FINDINGS[a]!, FINDINGS[b]!];
		const { status, healthy, findings } = concludeHealth(both, initial);
		return {
			input: `${both.map(({ id }) => id).join()} from ${initial}`,
			outcome: `${status} ${healthy} ${findings.map(({ id, observed }) => `${id} ${observed}`).join()}`,
		};
	});
	const seconds = [0, 4, 99, 100, 215, 999, 9_999, 10_000, 12_345].map((ms) => ({
		input: `${ms} ms`,
		outcome: formatSeconds(ms),
	}));
	const rows = [...speeds, ...orders, ...seconds];
	expectApproved(
		path.join(__dirname, 'speed.any-setting.findings.approved.txt'),
		rows,
		'A finding about speed is made only of what was measured',
	);
});
