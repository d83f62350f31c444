import fc from 'fast-check';
import { toPlainText } from '../../../lib/values/safe-text';
import type { PlainText } from '../../../lib/values/safe-text';
import { renderHtmlReport, renderTextReport } from '../../../lib/health/report';
import type { Finding, HealthStatus, ModelFacts } from '../../../lib/health/check-result';
import type { SpeedCheckResult, SpeedRun } from '../../../lib/health/speed';
import { anyCodePoint } from '../../support/texts/code-points';
import * as crypto from 'node:crypto';
import { examples } from '../../support/jest/properties';
import { elements } from './elements';

/** Bytes. Some mail readers cut a message after 100 kB. */
const MAX_BYTES = 100_000;

function model(id: string): ModelFacts {
	return {
		id,
		context: 8192,
		trainedContext: 32768,
		parameters: 7.6e9,
		size: 4.7e9,
		quantization: 'Q4_K_M',
		vision: false,
		tools: true,
		embeddings: false,
		loaded: true,
		state: 'loaded',
	};
}

function run(concurrentRequests: number, tokensPerSecond: number, firstTokenMs: number): SpeedRun {
	return {
		concurrentRequests,
		firstTokenMs,
		promptTokensPerSecond: 800,
		tokensPerSecond,
		totalTokensPerSecond: tokensPerSecond * concurrentRequests,
		failures: [],
	};
}

function finding(text: string, severity: Finding['severity'] = 'info'): Finding {
	const plain = text as PlainText;
	return { id: 'serverSleeping', severity, observed: plain, detail: plain, suggestion: plain };
}

function result(change: Partial<SpeedCheckResult> = {}): SpeedCheckResult {
	return {
		status: 'healthy',
		healthy: true,
		summary: toPlainText('All is well.'),
		findings: [finding('Something small')],
		server: {
			url: 'http://10.0.0.5:8080',
			type: 'llamaServer',
			version: 'b6000-1234',
			latencyMs: 3,
			slots: 4,
			busySlots: 0,
			queue: 0,
			contextPerSlot: 8192,
		},
		models: [model('qwen3-8b')],
		checkedAt: '2026-11-20T09:00:00.000Z',
		speed: { model: 'qwen3-8b', runs: [run(1, 82.4, 210), run(2, 70, 300), run(4, 61, 390)] },
		...change,
	};
}

const render = (change: Partial<SpeedCheckResult> = {}, title = 'Weekly report') =>
	renderHtmlReport(result(change), { title, timeZone: 'UTC' });

const ALLOWED = new Set(
	'html head meta title style body main header section h1 h2 h3 p span strong dl div dt dd table tr th td figure figcaption svg path text circle'.split(
		' ',
	),
);

const ALLOWED_ATTRIBUTE =
	/^(?:class|data-name|lang|charset|http-equiv|content|name|role|aria-label|viewBox|d|x|y|cx|cy|r)$/;

/** All that a page may have: elements without any address, script or handler. One `expect` for all of its elements. */
function expectHarmless(page: string): void {
	const others = elements(page).flatMap(({ name, attributes }) => [
		...(ALLOWED.has(name) ? [] : [`<${name}>`]),
		...Object.keys(attributes).filter((key) => !ALLOWED_ATTRIBUTE.test(key)),
	]);
	expect(others).toEqual([]);
}

describe('a report', () => {
	const page = render();

	it('is one page with status, findings, and speed with two plots', () => {
		expect(page).toMatch(/^<!doctype html>\s*<html lang="en">/);
		expectHarmless(page);
		for (const part of [
			'Weekly report',
			'badge healthy',
			'http://10.0.0.5:8080',
			'llama-server b6000-1234',
			'20 Nov 2026, 09:00 UTC',
			'Something small',
			'<td data-name="First token, s">0.21</td>',
			'All requests combined, tokens per second',
		])
			expect(page).toContain(part);
		expect(page.match(/<svg/g)).toHaveLength(2);
	});

	it('has a dash for a time that was not measured', () => {
		const runs = [{ ...run(1, 80, 100), firstTokenMs: undefined }];
		expect(render({ speed: { model: 'qwen3-8b', runs } })).toContain(
			'<td data-name="First token, s">–</td>',
		);
	});

	it('does not plot a speed that is uncertain, and explains why', () => {
		const uncertain = { ...finding('A response had only 3 tokens'), id: 'speedUncertain' };
		const shown = render({ findings: [uncertain] });
		expect(shown).toContain('A response had only 3 tokens');
		expect(shown).not.toContain('<svg');
		expect(shown).toContain('<table>');
	});

	it('is available as text for an email', () => {
		expect(renderTextReport(result())).toBe(
			[
				'All is well.',
				'http://10.0.0.5:8080',
				'',
				'Findings:',
				'- Something small. Something small',
				'',
				'Speed of qwen3-8b:',
				'- One request alone: 82.4 tokens per second. First token after 0.21 s. Prompts are processed with 800 tokens per second.',
				'- 2 requests at the same time: 70 tokens per second each, 140 together. First token after 0.3 s at the latest. Prompts are processed with 800 tokens per second.',
				'- 4 requests at the same time: 61 tokens per second each, 244 together. First token after 0.39 s at the latest. Prompts are processed with 800 tokens per second.',
			].join('\n'),
		);
	});

	it.each([
		{
			what: 'no findings and no speed',
			change: { findings: [], speed: undefined },
			text: 'All is well.\nhttp://10.0.0.5:8080',
		},
		{
			what: 'failed requests',
			change: {
				findings: [],
				speed: {
					model: 'm',
					runs: [
						{
							concurrentRequests: 4,
							failures: [
								{
									type: 'totalTimeout',
									message: toPlainText('m'),
									suggestion: toPlainText('s'),
								},
							],
						} satisfies SpeedRun,
					],
				},
			},
			text: 'All is well.\nhttp://10.0.0.5:8080\n\nSpeed of m:\n- 4 requests at the same time: no speed measured. 1 of 4 failed.',
		},
		{
			what: 'a response that a proxy buffered',
			change: {
				findings: [],
				speed: { model: 'm', runs: [{ concurrentRequests: 1, tokensPerSecond: 5, failures: [] }] },
			},
			text: 'All is well.\nhttp://10.0.0.5:8080\n\nSpeed of m:\n- One request alone: 5 tokens per second.',
		},
	])('as text, with $what', ({ change, text }) => {
		expect(renderTextReport(result(change))).toBe(text);
	});

	it('as text, names and sentences of a server are harmless and bounded, whatever they contain', () => {
		const hostile = '<img src=x onerror=alert(1)><script>\u202e';
		const long = hostile.repeat(12_000);
		const text = renderTextReport(
			result({
				speed: {
					model: long,
					runs: [run(1, 5, 5)],
				},
				server: { url: `http://${long}`, type: 'llamaServer', version: long },
				findings: [finding('Small')],
			}),
		);
		expect(text).not.toMatch(/<[a-z]|\u202e/i);
		expect(text.length).toBeLessThan(1_000);
		const short = renderTextReport(result({ speed: { model: hostile, runs: [run(1, 5, 5)] } }));
		expect(short).toContain('Speed of <\u200Bimg src=x onerror=alert(1)><\u200Bscript>:');
	});

	it.each([
		{ rounds: [1], charts: 0 },
		{ rounds: [1, 4], charts: 0 },
		{ rounds: [1, 2, 4], charts: 2 },
	])('$rounds.length rounds: $charts charts', ({ rounds, charts }) => {
		const runs = rounds.map((count) => run(count, 80, 100));
		const page = render({ speed: { model: 'm', runs } });
		expect(page.match(/<svg/g) ?? []).toHaveLength(charts);
		expect(page).toContain('<table>');
		// The remark below explains a column of the table, which is there without charts, too.
		const [, explained] = /“([^”]+)” counts/.exec(page)!;
		expect(page).toContain(`<th>${explained}, tokens/s</th>`);
	});

	it('lets a browser load and run nothing but its own style', () => {
		const style = /<style>([^<]*)<\/style>/.exec(page)![1]!;
		const hash = crypto.createHash('sha256').update(style).digest('base64');
		expect(page).toContain(
			`content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
		);
		expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\sstyle=|\ssrc=|\shref=/i);
		expect(style).toContain('prefers-color-scheme:dark');
		expect(style).toContain('@media print');
	});

	it('shows the time of the workflow', () => {
		const page = renderHtmlReport(result(), { title: 't', timeZone: 'Asia/Shanghai' });
		expect(page).toContain('20 Nov 2026, 17:00 Asia/Shanghai');
	});

	it('of a server that is down, and of Dify, has neither speed nor models', () => {
		const down: Partial<SpeedCheckResult> = {
			status: 'unreachable',
			healthy: false,
			server: { type: 'unknown' },
			models: undefined,
			speed: undefined,
		};
		const page = render(down);
		expect(page).toContain('badge unreachable');
		expect(page).not.toContain('<svg');
		const dify = render({
			...down,
			server: { type: 'dify', version: '1.14.2' },
			app: { name: 'Support', mode: 'advanced-chat' },
		});
		expect(dify).toContain('Dify 1.14.2');
		expect(dify).toContain('<dd>Support</dd>');
		expectHarmless(dify);
	});

	it('stays below the size limit of a mail part for any amount of data', () => {
		const long = '&'.repeat(5_000);
		const much = {
			findings: Array.from({ length: 60 }, () => finding(long)),
			models: Array.from({ length: 400 }, (_unused, index) => model(`${index}${long}`)),
			speed: {
				model: long,
				runs: [1, 64].map((concurrentRequests) => run(concurrentRequests, 80, 100)),
			},
		};
		const page = render(much, long);
		expect(Buffer.byteLength(page)).toBeLessThan(MAX_BYTES);
		expectHarmless(page);
	});

	it('escapes all server texts: <script> in the name of a model is text', () => {
		const hostile = '</style></title><script>alert(1)</script><img src=x onerror=alert(1)>"\' &lt;';
		const page = render(
			{
				summary: hostile as PlainText,
				findings: [finding(hostile)],
				models: [model(hostile)],
				server: { url: hostile, type: 'llamaServer', version: hostile },
				app: { name: hostile, mode: hostile },
				status: hostile as HealthStatus,
				speed: { model: hostile, runs: [run(1, 5, 5), run(2, 5, 5)] },
			},
			hostile,
		);
		expectHarmless(page);
		expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
	});

	it('is complete and harmless for all texts and numbers', () => {
		const text = fc.oneof(
			fc.string({ unit: anyCodePoint, maxLength: 200 }),
			fc.constantFrom(
				'</p>',
				'<!--',
				']]>',
				'${x}',
				'"',
				'&',
				'\ud800',
				'\u202e',
				'm'.repeat(200_000),
			),
		);
		const number = fc.oneof(
			fc.double({ min: 0, max: 1e9, noNaN: true }),
			fc.constantFrom(0, 1e300, 5e-324),
		);
		const rounds = fc.array(fc.tuple(fc.integer({ min: 1, max: 64 }), number, number), {
			maxLength: 3,
		});
		fc.assert(
			fc.property(text, text, number, rounds, (one, other, value, runs) => {
				const page = render(
					{
						summary: other as PlainText,
						findings: [finding(other)],
						models: [{ ...model(one), size: value, state: other }],
						speed: { model: other, runs: runs.map((round) => run(...round)) },
						server: { url: one, type: 'other', latencyMs: value },
					},
					one,
				);
				expectHarmless(page);
				expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
				expect(Buffer.byteLength(page)).toBeLessThan(MAX_BYTES);
			}),
			examples(150),
		);
	});
});

it('a finding of which nothing is known to do has no advice, and no gap for it', () => {
	const unexplained = { ...finding('The tenant is closed'), suggestion: toPlainText('') };
	const findings = [unexplained];
	expect(renderTextReport(result({ findings, speed: undefined }))).toMatch(
		/^- The tenant is closed\.$/m,
	);
	expect(
		renderHtmlReport(result({ findings }), { title: 'Report', timeZone: 'UTC' }),
	).not.toContain('<p></p>');
});
