import { line, nice, ticks } from '../vendor';
import { maxOf } from '../values';
import { markup, type Html } from './html';

interface Point {
	/** Requests at once. */
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
/** So that a plot of zeros has an axis. */
const MIN_AXIS_MAX = 0.01;

/** A line over the number of requests at once, as SVG: no script, no style of its own. One point is no line. */
export function drawChart(title: string, points: readonly Point[]): Html | undefined {
	if (points.length < 2) return undefined;
	const [, top] = nice(
		0,
		maxOf(
			points.map(({ y }) => y),
			MIN_AXIS_MAX,
		),
		VALUE_TICKS,
	);
	const most = points.at(-1)!.x;
	const xOf = (x: number) => round(LEFT + (x / most) * (WIDTH - LEFT - RIGHT - INSET));
	const yOf = (y: number) => round(HEIGHT - BOTTOM - (y / top) * (HEIGHT - BOTTOM - TOP));
	const path = line<Point>(
		({ x }) => xOf(x),
		({ y }) => yOf(y),
	);
	return markup`<figure>
		<figcaption>${title}</figcaption>
		<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}, over requests at once">
			${ticks(0, top, VALUE_TICKS).map(
				(value) =>
					markup`<path class="grid" d="M${LEFT},${yOf(value)}H${WIDTH - RIGHT}" /><text
							class="y"
							x="${LEFT - 8}"
							y="${yOf(value) + 4}"
							>${value}</text
						>`,
			)}
			${points.map(
				({ x }) => markup`<text class="x" x="${xOf(x)}" y="${HEIGHT - BOTTOM + 18}">${x}</text>`,
			)}
			<path class="line" d="${path([...points]) ?? ''}" />
			${points.map(({ x, y }) => markup`<circle cx="${xOf(x)}" cy="${yOf(y)}" r="3.5" />`)}
			<text class="x" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}">requests at once</text>
		</svg>
	</figure>`;
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
