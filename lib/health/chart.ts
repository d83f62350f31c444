import { line, nice, ticks } from '../vendor';
import { maxOf } from '../values';
import { markup, type Html } from './html';

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

/** A line over the number of concurrent requests, as SVG without script or style. Undefined for a single point. */
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
	const maxX = points.at(-1)!.x;
	const toX = (x: number) => round(LEFT + (x / maxX) * (WIDTH - LEFT - RIGHT - INSET));
	const toY = (y: number) => round(HEIGHT - BOTTOM - (y / top) * (HEIGHT - BOTTOM - TOP));
	const path = line<Point>(
		({ x }) => toX(x),
		({ y }) => toY(y),
	);
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
			<path class="line" d="${path([...points]) ?? ''}" />
			${points.map(({ x, y }) => markup`<circle cx="${toX(x)}" cy="${toY(y)}" r="3.5" />`)}
			<text class="x" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}">concurrent requests</text>
		</svg>
	</figure>`;
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
