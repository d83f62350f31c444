import { line, nice, ticks, utcTicks } from '../../vendor';
import { markup, type Html } from './html';
import { largestOf, smallestOf } from '../../values';

interface Point {
	x: number;
	/** Null = not measured: the line has a gap. */
	y: number | null;
}

export interface Chart {
	title: string;
	/** Label of the x axis. */
	xTitle: string;
	unit: string;
	points: readonly Point[];
	/** `doubling`: 1, 2, 4, 8 at the same distance. `count`: 1, 2, 3. `time`: milliseconds since 1970. */
	scale: 'doubling' | 'count' | 'time';
	/** A vertical line, for example at the number of slots. */
	mark?: { x: number; label: string };
	/** For the times on the axis, for example `Europe/Berlin`. */
	timeZone?: string;
}

const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 56;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 44;
const TIME_TICKS = 6;
const VALUE_TICKS = 5;
/** More points than that are a thick line, and many bytes. */
const MAX_POINTS = 240;
/** So that a plot of zeros has an axis. */
const LEAST_TOP = 0.01;

/** A line chart as SVG: no script, no style of its own, readable without its colours. Empty where nothing is known. */
export function drawChart(chart: Chart): Html | undefined {
	const points = thinned(chart.points);
	const known = points.filter(isKnown);
	if (known.length === 0) return undefined;
	const xs = known.map(({ x }) => x);
	if (chart.mark !== undefined) xs.push(chart.mark.x);
	const xOf = horizontal(chart.scale, smallestOf(xs), largestOf(xs));
	const values = known.map(({ y }) => y);
	const [, top] = nice(0, largestOf(values, LEAST_TOP), VALUE_TICKS);
	const yOf = (y: number) => round(HEIGHT - BOTTOM - (y / top) * (HEIGHT - BOTTOM - TOP));
	const path = line<Point>(
		({ x }) => xOf(x),
		({ y }) => yOf(y!),
	).defined(isKnown);
	return markup`<figure>
		<figcaption>${chart.title}</figcaption>
		<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${chart.title}, ${chart.unit}, over ${chart.xTitle}">
			${ticks(0, top, VALUE_TICKS).map(
				(value) =>
					markup`<path class="grid" d="M${LEFT},${yOf(value)}H${WIDTH - RIGHT}" /><text
							class="y"
							x="${LEFT - 8}"
							y="${yOf(value) + 4}"
							>${axisLabel(value)}</text
						>`,
			)}
			${xTicks(chart, xs, xOf).map(
				({ x, label }) =>
					markup`<text class="x" x="${xOf(x)}" y="${HEIGHT - BOTTOM + 18}">${label}</text>`,
			)}
			${
				chart.mark !== undefined &&
				markup`<path class="mark" d="M${xOf(chart.mark.x)},${TOP}V${HEIGHT - BOTTOM}" /><text
					class="marked"
					x="${xOf(chart.mark.x) - 5}"
					y="${TOP + 10}"
					>${chart.mark.label}</text
				>`
			}
			<path class="line" d="${path(points) ?? ''}" />${
				known.length <= MAX_DOTS &&
				known.map(({ x, y }) => markup`<circle cx="${xOf(x)}" cy="${yOf(y)}" r="3.5" />`)
			}
			<text class="x" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}">${chart.xTitle}</text>
		</svg>
	</figure>`;
}

const MAX_DOTS = 60;

function isKnown(point: Point): point is Point & { y: number } {
	return point.y !== null && Number.isFinite(point.y);
}

function horizontal(scale: Chart['scale'], least: number, most: number): (x: number) => number {
	const place = scale === 'doubling' ? (x: number) => Math.log2(Math.max(1, x)) : (x: number) => x;
	const span = place(most) - place(least);
	const width = WIDTH - LEFT - RIGHT - 2 * INSET;
	return (x) =>
		round(LEFT + INSET + (span === 0 ? width / 2 : ((place(x) - place(least)) / span) * width));
}

/** Points and labels at both ends need room. */
const INSET = 18;

interface Tick {
	x: number;
	label: string;
}

function xTicks(
	{ scale, points, timeZone }: Chart,
	xs: readonly number[],
	xOf: (x: number) => number,
): Tick[] {
	if (scale !== 'time') {
		const levels = new Set(points.map(({ x }) => x));
		return [...levels].map((x) => ({ x, label: String(x) }));
	}
	const [from, to] = [smallestOf(xs), largestOf(xs)];
	const isLong = to - from > 3 * DAY_MS;
	const write = timeWriter(timeZone, isLong);
	const times = from === to ? [new Date(from)] : utcTicks(new Date(from), new Date(to), TIME_TICKS);
	return spaced(
		times.map((time) => ({ x: time.getTime(), label: write(time) })),
		xOf,
		isLong ? DATE_WIDTH : TIME_WIDTH,
	);
}

/** What a label needs where its letters are largest, on a phone. */
const DATE_WIDTH = 75;
const TIME_WIDTH = 150;

/** Labels that neither touch nor say the same as the one before. */
function spaced(all: readonly Tick[], xOf: (x: number) => number, width: number): Tick[] {
	const kept: Tick[] = [];
	for (const tick of all) {
		const before = kept.at(-1);
		if (
			before === undefined ||
			(before.label !== tick.label && xOf(tick.x) - xOf(before.x) >= width)
		)
			kept.push(tick);
	}
	return kept;
}

const DAY_MS = 86_400_000;

function timeWriter(timeZone: string | undefined, isLong: boolean): (time: Date) => string {
	const format = new Intl.DateTimeFormat('en-GB', {
		timeZone: timeZone ?? 'UTC',
		...(isLong
			? { day: 'numeric', month: 'short' }
			: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }),
	});
	return (time) => format.format(time);
}

/** Every n-th point, the last one always. */
function thinned(points: readonly Point[]): readonly Point[] {
	const step = Math.ceil(points.length / MAX_POINTS);
	return step <= 1 ? points : points.filter((_point, at) => (points.length - 1 - at) % step === 0);
}

/** With as many digits as the steps of a small axis need. */
function axisLabel(value: number): string {
	return value >= 1 ? formatNumber(value) : String(Math.round(value * 1000) / 1000);
}

export function formatNumber(value: number): string {
	return value >= 10_000 ? `${round(value / 1000)}k` : String(round(value));
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
