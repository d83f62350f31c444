/** The part of a report about speed: what one answer gets, and what several at once bring together. */
import { largestOf, shortened } from '../../values';
import { inSeconds, secondsInWords } from '../numbers';
import type { SpeedRun as Run } from '../speed/measure';
import { drawChart, formatNumber, type Chart } from './chart';
import { markup, type Html } from './html';
import type { FullCheck } from './sections';
import { type RecordColumn, recordTable } from './table';

export function speedSection({ speed, slots }: FullCheck): Html | undefined {
	if (speed === undefined || speed === null || speed.runs.length === 0) return undefined;
	const { model, runs } = speed;
	const charts = runs.length > 1 ? chartsOf(runs, slots?.total ?? null) : [];
	return markup`<h3>Speed of ${shortened(model, 120)}</h3>
		<p>${comparisonInWords(runs)}</p>
		${charts.map(drawChart)}
		<p class="soft small">
			A prompt of about 250 tokens, read anew each time. “One answer” is its speed once it generates. “All together”
			counts all tokens from sending to the end of the last answer, so reading the prompt is part of it: compare it with
			“all together” of one request.
		</p>
		${recordTable(SPEED_COLUMNS, runs)}`;
}

/** What several requests at once bring, against one alone measured in the same way. */
function comparisonInWords(runs: readonly Run[]): string {
	const alone = runs.find(({ atOnce }) => atOnce === 1);
	const most = runs.at(-1);
	if (alone === undefined || most === undefined || most.atOnce === 1) return '';
	const together = timesAsMuch(most.totalTokensPerSecond, alone.totalTokensPerSecond);
	const each = timesAsMuch(most.tokensPerSecond, alone.tokensPerSecond);
	if (together === undefined || each === undefined) return '';
	return `With ${most.atOnce} requests at once the server generates ${together} times as many tokens in the same time as with one, and each answer has ${each} times the speed of one alone.`;
}

function timesAsMuch(value: number | null, base: number | null): string | undefined {
	if (value === null || !base) return undefined;
	const times = value / base;
	return Number.isFinite(times) ? String(Math.round(times * 100) / 100) : undefined;
}

function chartsOf(runs: readonly Run[], slots: number | null): Chart[] {
	const most = largestOf(runs.map(({ atOnce }) => atOnce));
	const mark = slots !== null && slots < most ? { x: slots, label: `${slots} slots` } : undefined;
	const pointsOf = (valueOf: ValueOf) => runs.map((run) => ({ x: run.atOnce, y: valueOf(run) }));
	const perSecond = 'tokens per second';
	return [
		{ title: 'One answer, tokens per second', unit: perSecond, points: pointsOf(speedOfOne), mark },
		{
			title: 'All requests together, tokens per second',
			unit: perSecond,
			points: pointsOf((run) => run.totalTokensPerSecond),
			mark,
		},
		{
			title: 'First token of the slowest request, in seconds',
			unit: 'seconds',
			points: pointsOf(firstToken),
			mark,
		},
	];
}

type ValueOf = (run: Run) => number | null;

function speedOfOne(run: Run): number | null {
	return run.tokensPerSecond;
}

function firstToken(run: Run): number | null {
	return inSeconds(run.firstTokenMs);
}

const SPEED_COLUMNS: ReadonlyArray<RecordColumn<Run>> = [
	{ title: ['At once'], cell: (run) => run.atOnce },
	{
		title: ['One answer, tokens/s'],
		cell: (run) => `${atLeast(run)}${numberIn(run.tokensPerSecond)}`,
	},
	{ title: ['All together, tokens/s'], cell: (run) => numberIn(run.totalTokensPerSecond) },
	{ title: ['Reading, tokens/s'], cell: (run) => numberIn(run.promptTokensPerSecond) },
	{ title: ['First token, s'], cell: (run) => secondsIn(run.firstTokenMs) },
	{ title: ['First text, s'], cell: (run) => secondsIn(run.firstTextMs) },
	{ title: ['Drafts accepted'], cell: (run) => percentIn(run.acceptedDrafts), isOptional: true },
	{ title: ['Failed'], cell: (run) => run.failures.length },
];

function atLeast({ samples }: Run): string {
	return samples.some(({ measuredBy }) => measuredBy === 'wholeAnswer') ? 'at least ' : '';
}

function numberIn(value: number | null): string {
	return value === null || !Number.isFinite(value) ? '–' : formatNumber(value);
}

function secondsIn(ms: number | null): string {
	return ms === null || !Number.isFinite(ms) ? '–' : secondsInWords(ms);
}

function percentIn(share: number | null | undefined): string {
	return typeof share === 'number' ? `${Math.round(share * 100)} %` : '';
}
