import { kindOfServer } from '../answers';
import type { CheckResult, Finding, HealthServerKind, ModelFacts } from '../observations';
import type { SpeedTestResult } from '../speed/speed-test';
import type { WithToolTest } from '../tools/tool-test';
import { drawChart, formatNumber, type Chart } from './chart';
import { markup, withOptions, type Html } from './html';
import { largestOf, shortened } from '../../values';
import { type Column, tableOf } from './table';
import { durationInWords } from '../watch';
import type { HistoryEntry } from './history';
import { gigabytes } from '../numbers';

/** A result of any operation, of a model server or Dify. */
export type FullCheck = CheckResult &
	Partial<Pick<SpeedTestResult, 'speed'> & Pick<WithToolTest<object>, 'toolTest'>>;

/** The most that a page shows of each list, and characters of each text. */
export interface Budget {
	findings: number;
	models: number;
	characters: number;
	history: number;
	/** Servers with all their parts; of the others only the state. */
	servers: number;
}

export interface SectionOptions {
	room: Budget;
	timeZone: string | undefined;
	/** Earlier results of this server, oldest first, and this one. */
	history: readonly HistoryEntry[];
}

const NAMES: Partial<Record<HealthServerKind, string>> = {
	dify: 'Dify',
	openAiCompatible: 'OpenAI-compatible server',
	unknown: 'unknown server',
};

/** The status. Warnings are named even if the server is healthy. */
export function badge({ status, findings }: Pick<CheckResult, 'status' | 'findings'>): Html {
	const count = findings.filter(({ severity }) => severity !== 'info').length;
	if (status !== 'healthy' || count === 0)
		return markup`<span class="badge ${status}">${status}</span>`;
	return markup`<span class="badge warning">healthy, with ${count} warning${count === 1 ? '' : 's'}</span>`;
}

export function overviewSection(result: FullCheck, { room }: SectionOptions): Html {
	const { server, latencyMs, slots, queue, contextPerSlot, app, checkMs } = result;
	const facts: Array<[string, string | null | undefined]> = [
		[
			'Server',
			[NAMES[server.kind] ?? kindOfServer(server.kind).label, server.version ?? '']
				.join(' ')
				.trim(),
		],
		['App', app === undefined ? null : [app.name ?? 'without a name', app.mode ?? ''].join(', ')],
		['Answers after', latencyMs === null ? null : `${Math.round(latencyMs)} ms`],
		['Slots', slotsInWords(slots)],
		['Waiting', typeof queue === 'number' ? String(queue) : null],
		['Context per slot', typeof contextPerSlot === 'number' ? `${contextPerSlot} tokens` : null],
		['Check took', `${Math.round(checkMs)} ms`],
	];
	return markup`<p>${shortened(result.summary, room.characters)}</p>
		<dl class="facts">
			${facts.flatMap(([name, value]) =>
				value === null || value === undefined || value === ''
					? []
					: [
							markup`<div>
								<dt>${name}</dt>
								<dd>${shortened(value, room.characters)}</dd>
							</div>`,
						],
			)}
		</dl>`;
}

function slotsInWords(slots: FullCheck['slots']): string | null {
	if (slots === undefined || (slots.total === null && slots.busy === null)) return null;
	if (slots.busy === null) return String(slots.total);
	return slots.total === null ? `${slots.busy} in use` : `${slots.busy} of ${slots.total} in use`;
}

export function findingsSection(findings: readonly Finding[], { room }: SectionOptions): Html {
	const shown = findings.slice(0, room.findings);
	const cut = (text: string) => shortened(text, room.characters);
	return markup`<h3>Findings</h3>
		${shown.length === 0 && markup`<p class="ok">Nothing was found that needs your attention.</p>`}
		${shown.map(
			({ severity, meaning, advice, observed, id }) =>
				markup`<div class="finding ${severity}">
					<strong>${withOptions(cut(meaning))}.</strong>
					<p>${withOptions(cut(advice))}</p>
					<p class="soft">Seen: ${withOptions(cut(observed))} (${id})</p>
				</div>`,
		)}
		${left(findings.length - shown.length, 'finding')}`;
}

export function modelsSection(
	models: readonly ModelFacts[],
	{ room }: SectionOptions,
): Html | undefined {
	if (models.length === 0) return undefined;
	const shown = models.slice(0, room.models);
	const rows = shown.map((model) => [
		shortened(model.id, room.characters),
		shortened(model.state ?? '', 40),
		model.context,
		model.parameters === null ? '' : billions(model.parameters),
		model.size === null ? '' : `${gigabytes(model.size)} GB`,
		abilitiesOf(model).join(', ') || '–',
	]);
	return markup`<h3>Models</h3>
		${tableOf(['Model', 'State', ['Context'], ['Parameters'], ['Size'], 'Can do'], rows)}
		${left(models.length - shown.length, 'model')}`;
}

function abilitiesOf({ tools, vision, audio, embeddings }: ModelFacts): string[] {
	return Object.entries({ tools, vision, audio, embeddings }).flatMap(([name, can]) =>
		can === true ? [name] : [],
	);
}

export function speedSection({ speed, slots }: FullCheck): Html | undefined {
	if (speed === undefined || speed === null || speed.runs.length === 0) return undefined;
	const { model, runs } = speed;
	const total = slots?.total ?? null;
	const most = largestOf(runs.map(({ atOnce }) => atOnce));
	// A server with one slot is measured with answers one after another.
	const isAlone = most === 1;
	const shared = isAlone
		? { xTitle: 'answers, one after another', scale: 'count' as const }
		: { xTitle: 'requests at once', scale: 'doubling' as const };
	const of = (pick: (run: (typeof runs)[number]) => number | null) =>
		runs.map((run, at) => ({ x: isAlone ? at + 1 : run.atOnce, y: pick(run) }));
	const together = (run: (typeof runs)[number]) =>
		run.atOnce === 1 ? null : run.totalTokensPerSecond;
	const firsts = timesOf(
		isAlone ? 'First token' : 'First token of the slowest request',
		of((run) => run.firstTokenMs),
	);
	const speeds = {
		title: 'Tokens per second',
		unit: 'tokens per second',
		series: [
			{ name: 'all requests together, with reading the prompt', points: of(together) },
			{ name: 'each request, once it generates', points: of((run) => run.tokensPerSecond) },
		],
		...(total !== null && total < most ? { mark: { x: total, label: `${total} slots` } } : {}),
	};
	const rows = runs.map((run) => [
		run.atOnce,
		`${atLeast(run)}${numberIn(run.tokensPerSecond)}`,
		numberIn(together(run)),
		numberIn(run.promptTokensPerSecond),
		wholeIn(run.firstTokenMs),
		wholeIn(run.firstTextMs),
		run.failures.length,
	]);
	return markup`<h3>Speed of ${shortened(model, 120)}</h3>
		${runs.length > 1 && [speeds, firsts].map((chart) => drawChart({ ...shared, ...chart }))}
		<p class="soft small">
			A prompt of about 250 tokens, read anew each time. “Each” is the speed of one answer once it generates. “All
			together” counts from sending to the end of the last of several answers, so reading the prompt makes it less.
		</p>
		${tableOf(SPEED_COLUMNS, rows)}`;
}

const SPEED_COLUMNS: readonly Column[] = [
	['At once'],
	['Each, tokens/s'],
	['All together, tokens/s'],
	['Reading, tokens/s'],
	['First token, ms'],
	['First text, ms'],
	['Failed'],
];

function atLeast({ samples }: { samples: ReadonlyArray<{ measuredBy: string }> }): string {
	return samples.some(({ measuredBy }) => measuredBy === 'wholeAnswer') ? 'at least ' : '';
}

export function historySection({ history, room, timeZone }: SectionOptions): Html | undefined {
	const entries = history.slice(-room.history);
	if (entries.length < 2) return undefined;
	const of = (pick: (entry: HistoryEntry) => number | null) =>
		entries
			.map((entry) => ({ x: Date.parse(entry.checkedAt), y: pick(entry) }))
			.filter(({ y }) => y !== null);
	const shared = { xTitle: `time (${timeZone ?? 'UTC'})`, scale: 'time' as const, timeZone };
	const plotted = (
		points: ReturnType<typeof of>,
		chart: Pick<Chart, 'title' | 'unit' | 'series'>,
	) => points.length > 1 && drawChart({ ...shared, ...chart });
	const [alone, together] = [
		of((entry) => entry.tokensPerSecond),
		of((entry) => entry.totalTokensPerSecond),
	];
	const [firstToken, answer] = [of((entry) => entry.firstTokenMs), of((entry) => entry.latencyMs)];
	return markup`<h3>History</h3>
		<p class="soft">${historyInWords(entries, timeZone)}.</p>
		${plotted(alone.length > together.length ? alone : together, {
			title: 'Tokens per second over time',
			unit: 'tokens per second',
			series: [
				{ name: 'all requests together, at most', points: together },
				{ name: 'one request alone, once it generates', points: alone },
			],
		})}
		${plotted(firstToken, timesOf('First token of one request over time', firstToken))}
		${plotted(answer, timesOf('Answer to a simple question over time', answer))}`;
}

function historyInWords(entries: readonly HistoryEntry[], timeZone: string | undefined): string {
	const times = entries.map(({ checkedAt }) => Date.parse(checkedAt));
	const [from, to] = [times[0]!, times.at(-1)!];
	const healthy = entries.filter(({ status }) => status === 'healthy').length;
	const percent = Math.floor((healthy / entries.length) * 100);
	return `${entries.length} results in ${durationInWords(Math.round((to - from) / 1000))} since ${formatTime(from, timeZone)}; ${percent}% of them healthy`;
}

/** "21 Nov 2026, 14:05" */
export function formatTime(time: number, timeZone: string | undefined): string {
	return new Intl.DateTimeFormat('en-GB', {
		timeZone: timeZone ?? 'UTC',
		day: 'numeric',
		month: 'short',
		year: 'numeric',
		hour: '2-digit',
		minute: '2-digit',
	}).format(time);
}

/** Times from here on are shown in seconds. */
const LONG_MS = 10_000;

/** A chart of milliseconds, or of seconds where they are many. */
function timesOf(
	title: string,
	points: Chart['series'][number]['points'],
): Pick<Chart, 'title' | 'unit' | 'series'> {
	const isLong = points.some(({ y }) => y !== null && y >= LONG_MS);
	return {
		title: `${title}, in ${isLong ? 's' : 'ms'}`,
		unit: isLong ? 'seconds' : 'milliseconds',
		series: [
			{
				name: title,
				points: points.map(({ x, y }) => ({ x, y: y === null || !isLong ? y : y / 1000 })),
			},
		],
	};
}

function left(count: number, what: string): Html | false {
	return (
		count > 0 && markup`<p class="soft">And ${count} more ${what}${count === 1 ? '' : 's'}.</p>`
	);
}

function numberIn(value: number | null): string {
	return value === null || !Number.isFinite(value) ? '–' : formatNumber(value);
}

function wholeIn(value: number | null): string {
	return value === null || !Number.isFinite(value) ? '–' : String(Math.round(value));
}

function billions(count: number): string {
	return count >= 1e9 ? `${Math.round(count / 1e8) / 10} B` : `${Math.round(count / 1e6)} M`;
}
