import { drawChart, formatNumber, type Chart } from '../../../../lib/health/report/chart';
import { elements } from './support';

const CHART: Chart = {
	title: 'Speed',
	xTitle: 'requests at once',
	unit: 'tokens per second',
	scale: 'doubling',
	points: [1, 2, 4, 8].map((x) => ({ x, y: x * 10 })),
};

const draw = (change: Partial<Chart> = {}) => drawChart({ ...CHART, ...change })?.text ?? '';
const attributes = (svg: string, name: string, key: string) =>
	elements(svg).flatMap((one) => (one.name === name ? [one.attributes[key]!] : []));

describe('a plot', () => {
	it('puts 1, 2, 4 and 8 at the same distance, and values at their height', () => {
		const xs = attributes(draw(), 'circle', 'cx').map(Number);
		const ys = attributes(draw(), 'circle', 'cy').map(Number);
		const steps = xs.slice(1).map((x, at) => Math.round(x - xs[at]!));
		expect(new Set(steps).size).toBe(1);
		// 80 is the top, and each value has its share of the height.
		expect(ys[3]! - ys[2]!).toBeCloseTo(4 * (ys[1]! - ys[0]!), 0);
		expect(ys[0]! > ys[1]! && ys[1]! > ys[3]!).toBe(true);
	});

	it('names its axis, its ticks and its subject, also for screen readers', () => {
		expect(draw()).toContain('aria-label="Speed, tokens per second, over requests at once"');
		for (const label of ['>1<', '>8<', '>20<', '>80<', '>requests at once<'])
			expect(draw()).toContain(label);
	});

	it('leaves a gap where nothing was measured', () => {
		const points = [1, 2, 4, 8].map((x) => ({ x, y: x === 4 ? null : x }));
		const svg = draw({ points });
		expect(attributes(svg, 'path', 'd').at(-1)!.match(/M/g)).toHaveLength(2);
		expect(attributes(svg, 'circle', 'cx')).toHaveLength(3);
	});

	it('is nothing where nothing is known, and one point where one is', () => {
		expect(drawChart({ ...CHART, points: [] })).toBeUndefined();
		expect(drawChart({ ...CHART, points: [{ x: 1, y: null }] })).toBeUndefined();
		expect(attributes(draw({ points: [{ x: 1, y: 5 }] }), 'circle', 'cx')).toHaveLength(1);
	});

	it('marks a place, such as the number of slots', () => {
		expect(draw({ mark: { x: 4, label: '4 slots' } })).toContain('>4 slots<');
	});

	it('writes times in the zone of the workflow', () => {
		const points = [0, 1, 2, 3].map((hour) => ({ x: Date.UTC(2026, 10, 1, hour), y: hour }));
		expect(draw({ scale: 'time', points })).toMatch(/>1 Nov,? 01:00</);
		expect(draw({ scale: 'time', points, timeZone: 'Asia/Shanghai' })).toMatch(/>1 Nov,? 09:00</);
		const days = [1, 2, 20].map((day) => ({ x: Date.UTC(2026, 10, day), y: day }));
		expect(draw({ scale: 'time', points: days })).toMatch(/>\d+ Nov</);
	});

	it.each([
		['half a minute', 35_000],
		['a day', 86_400_000],
		['three weeks', 21 * 86_400_000],
	])('of %s writes no time over another, and none twice', (_name, span) => {
		const points = [0, 0.4, 1].map((part) => ({ x: Date.UTC(2026, 10, 1) + part * span, y: 5 }));
		const svg = draw({ scale: 'time', points, xTitle: 'time' });
		const labels = [...svg.matchAll(/class="x" x="([\d.]+)"[^>]*>([^<]+)</g)].slice(0, -1);
		expect(labels.length).toBeGreaterThan(0);
		const xs = labels.map(([, x]) => Number(x));
		// Letters of 18 units on a phone: ten units each.
		for (const [at, x] of xs.slice(1).entries())
			expect(x - xs[at]!).toBeGreaterThan(labels[at]![2]!.length * 10);
		expect(new Set(labels.map(([, , label]) => label)).size).toBe(labels.length);
	});

	it('of thousands of points keeps the form and the last one, and stays small', () => {
		const points = Array.from({ length: 9_000 }, (_, at) => ({
			x: at * 1000,
			y: at === 8_999 ? 500 : 100,
		}));
		const svg = draw({ scale: 'time', points });
		expect(svg.length).toBeLessThan(12_000);
		const [x, y] = attributes(svg, 'path', 'd').at(-1)!.split('L').at(-1)!.split(',').map(Number);
		expect(x).toBeGreaterThan(590);
		expect(y).toBe(14);
	});

	it('writes large numbers short', () => {
		expect([0, 1.25, 999, 9_999, 12_345].map(formatNumber)).toEqual([
			'0',
			'1.3',
			'999',
			'9999',
			'12.3k',
		]);
	});
});
