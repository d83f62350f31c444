import fc from 'fast-check';

import type { HealthStatus } from '../../../../lib/health/observations';
import { MAX_BYTES, writeReport } from '../../../../lib/health/report/page';
import { anyCodePoint } from '../../../support/code-points';
import { examples } from '../../../support/properties';
import { crypto } from '../../../support/node';
import { elements, finding, model, result, run } from './support';

const ALLOWED = new Set(
	'html head meta title style body main header section h1 h2 h3 p span strong dl div dt dd table caption tr th td figure figcaption svg path text circle rect code'.split(
		' ',
	),
);

const ALLOWED_ATTRIBUTE =
	/^(?:class|data-name|lang|charset|http-equiv|content|name|role|aria-label|viewBox|d|x|y|cx|cy|r|width|height)$/;

/** All that a page may have: elements without any address, script or handler. One `expect` for all of its elements. */
function expectHarmless(page: string): void {
	const others = elements(page).flatMap(({ name, attributes }) => [
		...(ALLOWED.has(name) ? [] : [`<${name}>`]),
		...Object.keys(attributes).filter((key) => !ALLOWED_ATTRIBUTE.test(key)),
	]);
	expect(others).toEqual([]);
}

describe('a report', () => {
	const page = writeReport(result(), { title: 'Weekly report' });

	it('is one page with status, findings, models, slots and plots', () => {
		expect(page).toMatch(/^<!doctype html>\s*<html lang="en">/);
		expectHarmless(page);
		for (const part of [
			'Weekly report',
			'healthy',
			'http://10.0.0.5:8080',
			'llama-server b6000-1234',
			'qwen3-8b',
			'0 of 4 in use',
			'20 Nov 2026, 09:00',
			'Something small',
		])
			expect(page).toContain(part);
		expect(page.match(/<svg/g)).toHaveLength(3);
		expect(page).toContain('All requests together, tokens per second');
		expect(page).toContain('First token of the slowest request');
	});

	it('says at the state what the findings say', () => {
		const badgeOf = (
			severities: Array<'warning' | 'info' | 'error'>,
			status: HealthStatus = 'healthy',
		) => {
			const findings = severities.map((severity) => ({ ...finding('Slow'), severity }));
			return /<span class="badge [^<]*/.exec(
				writeReport(result({ status, findings }), { title: 't' }),
			)![0];
		};
		expect(badgeOf([])).toBe('<span class="badge healthy">healthy');
		expect(badgeOf(['info'])).toBe('<span class="badge healthy">healthy');
		expect(badgeOf(['warning', 'info'])).toBe(
			'<span class="badge warning">healthy, with 1 warning',
		);
		expect(badgeOf(['warning', 'warning'])).toBe(
			'<span class="badge warning">healthy, with 2 warnings',
		);
		expect(badgeOf(['error'], 'degraded')).toBe('<span class="badge degraded">degraded');
	});

	it('names each value of a table, for a phone', () => {
		expect(page).toContain('<td class="n" data-name="First token, s">0.21</td>');
		expect(page).toContain('<td class="w" data-name="Model">qwen3-8b</td>');
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

	it('shows the time of the workflow, and UTC where that is unknown', () => {
		expect(writeReport(result(), { title: 't', timeZone: 'Asia/Shanghai' })).toContain(
			'20 Nov 2026, 17:00 Asia/Shanghai',
		);
		expect(writeReport(result(), { title: 't', timeZone: 'Nowhere/City' })).toContain(
			'20 Nov 2026, 09:00 UTC',
		);
	});

	it('of a server that is down, and of Dify, has neither speed nor models', () => {
		const down = writeReport(
			result({
				status: 'unreachable',
				healthy: false,
				server: { kind: 'unknown', version: null },
				models: undefined,
				slots: undefined,
				speed: null,
				latencyMs: null,
			}),
			{ title: 't' },
		);
		expect(down).toContain('badge unreachable');
		expect(down).not.toContain('<svg');
		const dify = writeReport(
			result({
				server: { kind: 'dify', version: '1.14.2' },
				app: { name: 'Support', mode: 'advanced-chat' },
				models: [],
				slots: { total: null, busy: null },
				speed: undefined,
			}),
			{ title: 't' },
		);
		expect(dify).toContain('Dify 1.14.2');
		expect(dify).toContain('Support, advanced-chat');
		expectHarmless(dify);
	});

	it('of several servers has a table of all, and each with its own parts', () => {
		const servers = [
			result(),
			result({ url: 'http://10.0.0.6:8080', status: 'unreachable', healthy: false, speed: null }),
		];
		const page = writeReport(result({ status: 'degraded', servers }), { title: 't' });
		expect(page).toContain('2 servers');
		expect(page.match(/<section/g)).toHaveLength(3);
		expect(page.match(/<h3>Speed of/g)).toHaveLength(1);
		expectHarmless(page);
	});

	it('tells times of an answer in seconds everywhere, and the state of a single server once', () => {
		const slow = { model: 'm', runs: [run(1, 5, 46), run(2, 4, 12_500)] };
		const page = writeReport(result({ speed: slow }), { title: 't' });
		expect(page).toContain('First token of the slowest request, in seconds<');
		expect(page).toContain('>0.046<');
		expect(page).toContain('>12.5<');
		expect(page.match(/class="badge/g)).toHaveLength(1);
	});

	it('says what several requests at once bring, measured in one way', () => {
		const runs = [run(1, 40, 100), run(4, 25, 100)];
		const page = writeReport(result({ speed: { model: 'm', runs } }), { title: 't' });
		expect(page).toContain(
			'With 4 requests at once the server generates 2.5 times as many tokens in the same time as with one, and each answer has 0.63 times the speed of one alone.',
		);
	});

	it('shows accepted drafts only where something is drafted', () => {
		const runs = [run(1, 40, 100)];
		const pageOf = (acceptedDrafts: number | null) =>
			writeReport(
				result({ speed: { model: 'm', runs: runs.map((one) => ({ ...one, acceptedDrafts })) } }),
				{ title: 't' },
			);
		expect(pageOf(0.714)).toContain('data-name="Drafts accepted">71 %<');
		expect(pageOf(null)).not.toContain('Drafts accepted');
	});

	it('names the server, and no version where it has none', () => {
		const server = { kind: 'llamaServer', version: 'b0-unknown' } as const;
		const page = writeReport(result({ server }), { title: 't' });
		expect(page).toContain('<h2>llama-server ');
		expect(page).not.toContain('b0-unknown');
	});

	it('leaves out what no model can do', () => {
		const bare = { ...model('m'), tools: null, vision: null, audio: null, embeddings: null };
		expect(writeReport(result({ models: [bare] }), { title: 't' })).not.toContain('Can do');
		expect(writeReport(result({ models: [bare, model('n')] }), { title: 't' })).toContain(
			'data-name="Can do"></td>',
		);
	});

	it('stays below the size of a mail part, however much there is', () => {
		const long = 'x'.repeat(5_000);
		const servers = Array.from({ length: 60 }, (_, at) =>
			result({
				url: `http://10.0.0.${at}:8080`,
				findings: Array.from({ length: 60 }, () => finding(long)),
				models: Array.from({ length: 400 }, (_unused, index) => model(`${index}${long}`)),
				speed: {
					model: long,
					runs: [1, 2, 4, 8, 16, 32, 64].map((atOnce) => run(atOnce, 80, 100)),
				},
			}),
		);
		for (const one of [result({ servers }), servers[1]!]) {
			const page = writeReport(one, { title: long });
			expect(Buffer.byteLength(page)).toBeLessThanOrEqual(MAX_BYTES);
			expectHarmless(page);
			expect(page).toMatch(/And \d+ more models/);
		}
	});

	it('escapes every text of a server: <script> in the name of a model is text', () => {
		const hostile = '</style></title><script>alert(1)</script><img src=x onerror=alert(1)>"\' &lt;';
		const page = writeReport(
			result({
				url: hostile,
				summary: hostile,
				findings: [finding(hostile)],
				models: [model(hostile)],
				server: { kind: 'llamaServer', version: hostile },
				app: { name: hostile, mode: hostile },
				status: hostile as HealthStatus,
				speed: { model: hostile, runs: [run(1, 5, 5), run(2, 5, 5)] },
			}),
			{
				title: hostile,
			},
		);
		expectHarmless(page);
		expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
	});

	it('is whole and harmless whatever the texts and numbers are', () => {
		const HUGE = 'm'.repeat(200_000);
		const text = fc.oneof(
			fc.string({ unit: anyCodePoint, maxLength: 200 }),
			fc.constantFrom('</p>', '<!--', ']]>', '${x}', '"', '&', '\ud800', '\u202e', HUGE),
		);
		const number = fc.oneof(
			fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
			fc.constantFrom(0, 1e300, 5e-324),
		);
		fc.assert(
			fc.property(
				text,
				text,
				number,
				fc.array(fc.tuple(fc.integer({ min: 1, max: 64 }), number, fc.option(number)), {
					maxLength: 8,
				}),
				(one, other, value, rounds) => {
					const page = writeReport(
						result({
							url: one,
							summary: other,
							findings: [finding(other)],
							models: [{ ...model(one), size: value, parameters: value, state: other }],
							speed: { model: other, runs: rounds.map((round) => run(...round)) },
							latencyMs: value,
						}),
						{
							title: one,
							timeZone: other,
						},
					);
					expectHarmless(page);
					expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
					expect(Buffer.byteLength(page)).toBeLessThanOrEqual(MAX_BYTES);
				},
			),
			examples(150),
		);
	});
});
