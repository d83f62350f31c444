import { line, nice, ticks } from '../../vendor';
import { markup, type Html } from './html';
import { largestOf, smallestOf } from '../../values';

interface Point {
	/** Requests at once. */
	x: number;
	/** Null = not measured: the line has a gap. */
	y: number | null;
}

export interface Chart {
	title: string;
	unit: string;
	points: readonly Point[];
	/** A vertical line, for example at the number of slots. */
	mark?: { x: number; label: string };
}

const X_TITLE = 'requests at once';
const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 56;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 44;
const VALUE_TICKS = 5;
/** So that a plot of zeros has an axis. */
const LEAST_TOP = 0.01;

/** A line chart as SVG: no script, no style of its own, readable without its colours. Empty where nothing is known. */
export function drawChart(chart: Chart): Html | undefined {
	const { points } = chart;
	const known = points.filter(isKnown);
	if (known.length === 0) return undefined;
	const xs = known.map(({ x }) => x);
	if (chart.mark !== undefined) xs.push(chart.mark.x);
	const xOf = horizontal(smallestOf(xs), largestOf(xs));
	const values = known.map(({ y }) => y);
	const [, top] = nice(0, largestOf(values, LEAST_TOP), VALUE_TICKS);
	const yOf = (y: number) => round(HEIGHT - BOTTOM - (y / top) * (HEIGHT - BOTTOM - TOP));
	const path = line<Point>(
		({ x }) => xOf(x),
		({ y }) => yOf(y!),
	).defined(isKnown);
	return markup`<figure>
		<figcaption>${chart.title}</figcaption>
		<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${chart.title}, ${chart.unit}, over ${X_TITLE}">
			${ticks(0, top, VALUE_TICKS).map(
				(value) =>
					markup`<path class="grid" d="M${LEFT},${yOf(value)}H${WIDTH - RIGHT}" /><text
							class="y"
							x="${LEFT - 8}"
							y="${yOf(value) + 4}"
							>${axisLabel(value)}</text
						>`,
			)}
			${points.map(
				({ x }) => markup`<text class="x" x="${xOf(x)}" y="${HEIGHT - BOTTOM + 18}">${x}</text>`,
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
			<path class="line" d="${path(points) ?? ''}" />${known.map(
				({ x, y }) => markup`<circle cx="${xOf(x)}" cy="${yOf(y)}" r="3.5" />`,
			)}
			<text class="x" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}">${X_TITLE}</text>
		</svg>
	</figure>`;
}

function isKnown(point: Point): point is Point & { y: number } {
	return point.y !== null && Number.isFinite(point.y);
}

/** 1, 2, 4, 8 stand at the same distance. */
function horizontal(least: number, most: number): (x: number) => number {
	const place = (x: number) => Math.log2(Math.max(1, x));
	const span = place(most) - place(least);
	const width = WIDTH - LEFT - RIGHT - 2 * INSET;
	return (x) =>
		round(LEFT + INSET + (span === 0 ? width / 2 : ((place(x) - place(least)) / span) * width));
}

/** Points and labels at both ends need room. */
const INSET = 18;

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
