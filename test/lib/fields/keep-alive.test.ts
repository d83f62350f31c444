import { parseKeepAlive } from '../../../lib/fields/keep-alive';

const read = (value: unknown): string | number | undefined =>
	parseKeepAlive(value, { label: 'Keep Alive' });

it.each([
	['120', 120],
	[' -1 ', -1],
	[0, 0],
	['1.5', 1.5],
	['5m', '5m'],
	['-1m', '-1m'],
	['1h30m', '1h30m'],
	['1.5h', '1.5h'],
	['300ms', '300ms'],
	['10us', '10us'],
	[' 3m ', '3m'],
	['', undefined],
	[' ', undefined],
])('%j is sent as %j: numbers are seconds, texts are Go durations', (value, sent) => {
	expect(read(value)).toBe(sent);
});

it.each(['abc', '5 m', '5min', 'm', '1'.repeat(400)])('%j is none of both', (value) => {
	expect(() => read(value)).toThrow(
		'The option "Keep Alive" must be a number of seconds, or a duration such as 30m or 1h30m, but is "',
	);
});

it.each([NaN, true, ['5m'], { a: 1 }])('%j is no text', (value) => {
	expect(() => read(value)).toThrow('"Keep Alive" must be');
});
