import { drawChart, formatNumber, type Chart } from '../../../../lib/health/report/chart';
import { elements } from './support';

const CHART: Chart = {
	title: 'Speed',
	unit: 'tokens per second',
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
