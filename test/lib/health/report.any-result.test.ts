/** A report of any result: its page, without its style, and its text for an email. */
import { renderHtmlReport, renderTextReport } from '../../../lib/health/report';
import type { Finding } from '../../../lib/health/check-result';
import type { SpeedCheckResult, SpeedRun } from '../../../lib/health/speed';
import { expectApproved } from '../../support/approved/approved-table';
import { toPlainText } from '../../../lib/values/safe-text';
import path from 'node:path';

const finding = (id: string, severity: Finding['severity'], length = 10): Finding => ({
	id,
	severity,
	observed: toPlainText(`seen ${'s'.repeat(length)}`),
	detail: toPlainText(`it is ${'d'.repeat(length)}`),
	suggestion: toPlainText(`Do ${'a'.repeat(length)}.`),
});
const BASE: SpeedCheckResult = {
	status: 'healthy',
	healthy: true,
	summary: toPlainText('All is well.'),
	findings: [],
	server: { url: 'http://server:8080', type: 'llamaServer' },
	checkedAt: '2026-11-20T23:30:00.000Z',
};
const FAILURE: SpeedRun['failures'][number] = {
	type: 'serverError',
	message: toPlainText('It failed'),
	suggestion: toPlainText('Check it.'),
};
const run = (concurrentRequests: number, more: Partial<SpeedRun> = {}): SpeedRun => ({
	concurrentRequests,
	failures: [],
	...more,
});
const measured = (concurrentRequests: number, speed: number): SpeedRun =>
	run(concurrentRequests, {
		firstTokenMs: 94 * concurrentRequests,
		promptTokensPerSecond: 800,
		tokensPerSecond: speed,
		totalTokensPerSecond: speed * concurrentRequests,
		generatedTokens: 64,
	});
const THREE_ROUNDS = [measured(1, 80), measured(2, 70.5), measured(4, 40)];

const RESULTS: Readonly<Record<string, Partial<SpeedCheckResult>>> = {
	'nothing known': {},
	'an app of Dify': {
		server: { url: 'http://dify', type: 'dify', version: '1.16.0', latencyMs: 12 },
		app: { name: 'Helper <b>', mode: 'chat' },
	},
	'all facts': {
		server: {
			...BASE.server,
			version: 'b6000',
			latencyMs: 3,
			slots: 4,
			busySlots: 0,
			queue: 0,
			contextPerSlot: 8_192,
		},
	},
	'facts that are zero': {
		server: { ...BASE.server, latencyMs: 0, slots: 0, busySlots: 0, queue: 0, contextPerSlot: 0 },
	},
	'no address': { server: { ...BASE.server, url: undefined as never, type: 'unknown' } },
	'another server': { server: { ...BASE.server, type: 'openAiCompatible' } },
	'a finding of each kind': {
		status: 'degraded',
		healthy: false,
		findings: [finding('a', 'error'), finding('b', 'warning'), finding('c', 'info')],
	},
	'long texts': {
		summary: toPlainText('s'.repeat(400)),
		findings: [finding('long', 'error', 700)],
		server: { ...BASE.server, version: 'v'.repeat(200), url: `http://${'u'.repeat(400)}` },
	},
	'13 findings': {
		findings: Array.from({ length: 13 }, (_none, at) => finding(`id-${at}`, 'warning')),
	},
	'three rounds': { speed: { model: 'm', runs: THREE_ROUNDS } },
	'three rounds that are uncertain': {
		findings: [finding('speedUncertain', 'info')],
		speed: { model: 'm', runs: THREE_ROUNDS },
	},
	'two rounds': { speed: { model: 'm', runs: THREE_ROUNDS.slice(1) } },
	'a round alone that failed': {
		speed: { model: 'm'.repeat(200), runs: [run(1, { failures: [FAILURE] })] },
	},
	'rounds that failed in part': {
		speed: {
			model: 'm',
			runs: [
				run(1, { tokensPerSecond: 0, totalTokensPerSecond: 0, firstTokenMs: 0 }),
				run(2, { totalTokensPerSecond: 5, failures: [FAILURE] }),
				run(4, { tokensPerSecond: 3 }),
			],
		},
	},
};

/** The body, one element a part, and long repetitions by their length. */
const shorten = (page: string): string =>
	page
		.replace(/^[\s\S]*<body>/, '')
		.replace(/\s+/g, ' ')
		.replace(/([a-z])\1{9,}/g, (all, letter: string) => `${letter}×${all.length}`);

test('each result as a page and as a text', () => {
	const rows = Object.entries(RESULTS).flatMap(([name, change]) => {
		const result = { ...BASE, ...change };
		const page = renderHtmlReport(result, { title: 'A "title"', timeZone: 'Europe/Berlin' });
		return [
			{ input: `${name}, page`, outcome: shorten(page) },
			{
				input: `${name}, text`,
				outcome: shorten(renderTextReport(result).replaceAll('\n', ' ⏎ ')),
			},
		];
	});
	const head = renderHtmlReport(BASE, { title: `t${'o'.repeat(130)}`, timeZone: 'UTC' });
	rows.push({
		input: 'a long title, head',
		outcome: head
			.replace(/<style>[\s\S]*<\/style>/, '<style>…</style>')
			.replace(/<body>[\s\S]*/, '')
			.replace(/sha256-[^']+/, 'sha256-…'),
	});
	expectApproved(
		path.join(__dirname, 'report.any-result.approved.txt'),
		rows,
		'A report shows every finding, and nothing in it is markup',
	);
});
