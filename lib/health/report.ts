/** A check and a speed test as a self-contained HTML page, and as text for an email. */
import { createHash } from 'node:crypto';
import { join } from '../errors/sentences';
import { SERVER_TYPES } from '../servers/types';
import { omitUndefined } from '../values/records';
import { round, maxOf } from '../values/numbers';
import { toPlainText, UNSAFE_CHARACTERS } from '../values/safe-text';
import type { PlainText } from '../values/safe-text';
import { truncate } from '../values/text';
import type { CheckResult, Finding } from './check-result';
import type { SpeedCheckResult, SpeedRun } from './speed';
import { formatSeconds, UNCERTAIN_SPEED } from './speed';
import { nice, ticks } from '../vendor';
import { getOwn } from '../values/own-properties';

/** Text that is HTML: our own, or of `markup`, so nothing gets into a page that was not escaped. */
class Html {
	constructor(readonly text: string) {}
}

type Value = Html | string | number | null | undefined | readonly Value[];

const ENTITIES: Record<string, string> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;',
	"'": '&#39;',
};

/** A template whose values are escaped, but for those that are HTML already. Lists are joined. */
function markup(parts: TemplateStringsArray, ...values: readonly Value[]) {
	return new Html(parts.reduce((whole, part, at) => whole + written(values[at - 1]) + part));
}

function written(value: Value): string {
	if (value instanceof Html) return value.text;
	if (Array.isArray(value)) return (value as readonly Value[]).map(written).join('');
	return String(value ?? '')
		.toWellFormed()
		.replace(UNSAFE_CHARACTERS, '')
		.replace(/[&<>"']/g, (character) => getOwn(ENTITIES, character)!);
}

/** Style of a report: system fonts, dark mode as the reader's system, black on white in print. */
const STYLE = `
:root{color-scheme:light dark;--text:#1c2430;--soft:#5a6675;--page:#f4f6f8;--card:#fff;--edge:#d9dfe6;--good:#14773d;--bad:#b3261e;--warn:#8a5a00;--info:#2458a6;--one:#2458a6}
@media (prefers-color-scheme:dark){:root{--text:#e6eaf0;--soft:#9aa7b6;--page:#14181d;--card:#1d2329;--edge:#343d47;--good:#5ccf8b;--bad:#ff8a80;--warn:#f0b95a;--info:#8ab4f8;--one:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei",sans-serif;overflow-wrap:anywhere}
main{max-width:860px;margin:0 auto;padding:24px 16px 40px}
h1{font-size:24px;line-height:1.25;margin:0 0 4px}
h2{font-size:18px;margin:0 0 8px}
h3{font-size:15px;margin:18px 0 6px}
p{margin:4px 0}
.soft{color:var(--soft)}
section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:16px 18px;margin:16px 0}
.badge{display:inline-block;border:1px solid;border-radius:999px;padding:0 10px;font-weight:600;font-size:13px;vertical-align:middle}
.healthy{color:var(--good)}.degraded,.loading,.warning{color:var(--warn)}.unreachable,.unauthorized,.misconfigured,.error{color:var(--bad)}.info{color:var(--info)}
.facts{display:flex;flex-wrap:wrap;gap:6px 28px;margin:10px 0 0;padding:0}
.facts div{min-width:90px}
dt{color:var(--soft);font-size:13px}
dd{margin:0;font-weight:600}
.finding{border-left:4px solid;padding:2px 0 2px 12px;margin:12px 0}
.finding p{color:var(--text)}
.finding .soft{color:var(--soft);font-size:13px}
table{border-collapse:collapse;width:100%;font-size:14px}
.small{font-size:13px}
th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--edge);vertical-align:top}
th{color:var(--soft);font-weight:600;font-size:13px}
th{overflow-wrap:normal}td{font-variant-numeric:tabular-nums}
figure{margin:14px 0 0}
figcaption{font-weight:600;font-size:14px}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font-size:12px}
@media (max-width:520px){svg text{font-size:18px}main{padding:16px 8px}section{padding:12px}th{display:none}table,tbody,td{display:block}tr{display:flex;flex-wrap:wrap;gap:0 16px;border-bottom:1px solid var(--edge);padding:6px 0}td{border:0;padding:1px 0}td:before{content:attr(data-name) ": ";color:var(--soft)}td:empty{display:none}}
svg .y{text-anchor:end}svg .x{text-anchor:middle}
svg .grid{stroke:var(--edge);fill:none}
svg .line{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}
svg .line{stroke:var(--one)}
svg circle{fill:var(--one)}
@media print{:root{color-scheme:light;--text:#000;--soft:#444;--page:#fff;--card:#fff;--edge:#bbb;--good:#14773d;--bad:#b3261e;--warn:#8a5a00;--info:#2458a6;--one:#2458a6}
body{font-size:11pt}main{max-width:none;padding:0}section{border:0;border-top:1px solid var(--edge);border-radius:0;padding:10px 0;margin:10px 0}
.finding,figure,tr{break-inside:avoid}h2,h3{break-after:avoid}}
`.trim();

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Forbids loading, running and sending anything; allows only the style of the page. */
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

/** Some email clients truncate messages at 100 kB, and most texts come from servers, such as model names. */
const MAX_TEXT = 300;

const MAX_NAME = 120;

const MAX_FINDINGS = 12;

const FURTHER_SERVERS = {
	dify: { label: 'Dify' },
	openAiCompatible: SERVER_TYPES.other,
	unknown: { label: 'Unknown server' },
};

export interface ReportOptions {
	/** Heading of the page. */
	title: string;
	/** IANA name, such as "Europe/Berlin". */
	timeZone: string;
}

/** Renders the page, with less than 100 kB. */
export function renderHtmlReport(
	result: SpeedCheckResult,
	{ title, timeZone }: ReportOptions,
): string {
	const { server, status, summary, findings, speed } = result;
	const name = truncate(title, MAX_NAME);
	const { label } = { ...SERVER_TYPES, ...FURTHER_SERVERS }[server.type];
	const version = server.version === undefined ? '' : ` ${truncate(server.version, MAX_NAME)}`;
	// The template must not be formatted: a space inside <style> would change its hash.
	const page = markup`${new Html('<!doctype html>')}
<html lang="en"><head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${name}</title>
<style>${new Html(STYLE)}</style>
</head><body><main>
<header><h1>${name}</h1><p class="soft">${formatTime(result.checkedAt, timeZone)}</p></header>
<section>
<h2>${label}${version} <span class="badge ${status}">${status}</span></h2>
<p class="soft">${truncate(server.url ?? 'no usable address', MAX_TEXT)}</p>
<p>${truncate(summary, MAX_TEXT)}</p>
${renderFacts(result)}
${findings.slice(0, MAX_FINDINGS).map(renderFinding)}
${speed ? renderSpeed(speed.model, speed.runs, !findings.some(({ id }) => id === UNCERTAIN_SPEED)) : ''}
</section>
</main></body></html>
`;
	return page.text.replace(/\n\s+/g, '\n');
}

/** Renders the same as text for an email: status, findings, speed. */
export function renderTextReport(result: SpeedCheckResult): PlainText {
	const { summary, server, findings, speed } = result;
	const problems = findings.map(({ detail, suggestion }) => join(`- ${detail}.`, suggestion));
	const sections = [
		[summary, truncate(server.url ?? '', MAX_TEXT)],
		problems.length === 0 ? [] : ['Findings:', ...problems],
		speed === undefined
			? []
			: [`Speed of ${truncate(speed.model, MAX_NAME)}:`, ...speed.runs.map(describeRun)],
	];
	return toPlainText(
		sections
			.map((lines) => lines.filter((line) => line !== '').join('\n'))
			.filter((section) => section !== '')
			.join('\n\n'),
	);
}

/** "- 4 requests at the same time: 61 tokens per second each, 244 together. First token after 0.39 s at the latest." */
function describeRun(run: SpeedRun) {
	const { concurrentRequests, tokensPerSecond, totalTokensPerSecond, firstTokenMs } = run;
	const isAlone = concurrentRequests === 1;
	const speeds = [
		tokensPerSecond !== undefined &&
			`${tokensPerSecond} tokens per second${isAlone ? '' : ' each'}`,
		!isAlone && totalTokensPerSecond !== undefined && `${totalTokensPerSecond} together`,
	].filter((speed) => speed !== false);
	const sentences = [
		speeds.join(', ') || 'no speed measured',
		firstTokenMs !== undefined &&
			`First token after ${formatSeconds(firstTokenMs)} s${isAlone ? '' : ' at the latest'}`,
		run.promptTokensPerSecond !== undefined &&
			`Prompts are processed with ${run.promptTokensPerSecond} tokens per second`,
		run.failures.length > 0 && `${run.failures.length} of ${concurrentRequests} failed`,
	].filter((sentence) => sentence !== false);
	const who = isAlone ? 'One request alone' : `${concurrentRequests} requests at the same time`;
	return `- ${who}: ${sentences.join('. ')}.`;
}

function renderFacts({ app, server }: CheckResult) {
	const { latencyMs, slots, busySlots, queue, contextPerSlot } = server;
	const facts = {
		App: app?.name,
		'Response time': latencyMs === undefined ? undefined : `${latencyMs} ms`,
		Slots: slots,
		'In use': busySlots,
		Waiting: queue,
		'Context per slot': contextPerSlot === undefined ? undefined : `${contextPerSlot} tokens`,
	};
	const rows = Object.entries(omitUndefined(facts));
	return markup`<dl class="facts">
		${rows.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
	</dl>`;
}

function renderFinding({ severity, detail, suggestion, observed, id }: Finding) {
	return markup`<div class="finding ${severity}">
		<strong>${truncate(detail, MAX_TEXT)}.</strong>
		${suggestion === '' ? '' : markup`<p>${truncate(suggestion, 2 * MAX_TEXT)}</p>`}
		<p class="soft">Observed: ${truncate(observed, MAX_TEXT)} (${id})</p>
	</div>`;
}

function renderSpeed(model: string, runs: readonly SpeedRun[], isCertain: boolean) {
	const toPoints = (name: 'tokensPerSecond' | 'totalTokensPerSecond') =>
		runs.flatMap(({ concurrentRequests: x, [name]: y }) =>
			y === undefined || !isCertain ? [] : [{ x, y }],
		);
	return markup`<h3>Speed of ${truncate(model, MAX_NAME)}</h3>
		${drawChart('Single response, tokens per second', toPoints('tokensPerSecond'))}
		${drawChart('All requests combined, tokens per second', toPoints('totalTokensPerSecond'))}
		<p class="soft small">
			A prompt of about 250 tokens, processed again each time. “Combined” counts from sending to the end of the last
			response, including prompt processing.
		</p>
		<table>
			<tr>${SPEED_COLUMNS.map(({ title }) => markup`<th>${title}</th>`)}</tr>
			${runs.map((run) => markup`<tr>${SPEED_COLUMNS.map(({ title, cell }) => markup`<td data-name="${title}">${cell(run)}</td>`)}</tr>`)}
		</table>`;
}

/** A column of the table of rounds. */
interface SpeedColumn {
	title: string;
	cell(run: SpeedRun): string | number;
}

const SPEED_COLUMNS: readonly SpeedColumn[] = [
	{ title: 'Concurrent', cell: (run) => run.concurrentRequests },
	{ title: 'Single response, tokens/s', cell: (run) => run.tokensPerSecond ?? '–' },
	{ title: 'Combined, tokens/s', cell: (run) => run.totalTokensPerSecond ?? '–' },
	{ title: 'Prompt processing, tokens/s', cell: (run) => run.promptTokensPerSecond ?? '–' },
	{
		title: 'First token, s',
		cell: ({ firstTokenMs }) => (firstTokenMs === undefined ? '–' : formatSeconds(firstTokenMs)),
	},
	{ title: 'Failed', cell: (run) => run.failures.length },
];

/** "21 Nov 2026, 14:05 Europe/Berlin" */
function formatTime(time: string, timeZone: string) {
	const format = { dateStyle: 'medium', timeStyle: 'short', timeZone } as const;
	return `${new Intl.DateTimeFormat('en-GB', format).format(Date.parse(time))} ${timeZone}`;
}

interface Point {
	/** Concurrent requests. */
	x: number;
	y: number;
}

const WIDTH = 640;

const HEIGHT = 260;

const LEFT = 56;

const RIGHT = 16;

const TOP = 14;

const BOTTOM = 44;

/** The last point and its label need room. */
const INSET = 18;

const VALUE_TICKS = 5;

/** A chart of zeros needs an axis, too. */
const MIN_AXIS_MAX = 0.01;

/** With fewer points, a line shows no more than the table. */
const MIN_CHART_POINTS = 3;

/** A line over the number of concurrent requests, as SVG without script or style. Undefined for a few points. */
function drawChart(title: string, points: readonly Point[]) {
	if (points.length < MIN_CHART_POINTS) return undefined;
	const [, top] = nice(
		0,
		maxOf(
			points.map(({ y }) => y),
			MIN_AXIS_MAX,
		),
		VALUE_TICKS,
	);
	const maxX = points.at(-1)!.x;
	const toX = (x: number) => round(LEFT + (x / maxX) * (WIDTH - LEFT - RIGHT - INSET));
	const toY = (y: number) => round(HEIGHT - BOTTOM - (y / top) * (HEIGHT - BOTTOM - TOP));
	const path = points.map(({ x, y }) => `${toX(x)},${toY(y)}`).join('L');
	return markup`<figure>
		<figcaption>${title}</figcaption>
		<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}, by concurrent requests">
			${ticks(0, top, VALUE_TICKS).map(
				(value) =>
					markup`<path class="grid" d="M${LEFT},${toY(value)}H${WIDTH - RIGHT}" /><text
							class="y"
							x="${LEFT - 8}"
							y="${toY(value) + 4}"
							>${value}</text
						>`,
			)}
			${points.map(
				({ x }) => markup`<text class="x" x="${toX(x)}" y="${HEIGHT - BOTTOM + 18}">${x}</text>`,
			)}
			<path class="line" d="M${path}" />
			${points.map(({ x, y }) => markup`<circle cx="${toX(x)}" cy="${toY(y)}" r="3.5" />`)}
			<text class="x" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}">concurrent requests</text>
		</svg>
	</figure>`;
}
