import { isValidKeepAlive, parseKeepAlive } from '../../../nodes/shared/timeout-fields';

it('numbers are seconds, texts are Go durations', () => {
	expect(['120', ' -1 ', '3m', ''].map(parseKeepAlive)).toEqual([120, -1, '3m', undefined]);
	for (const value of [120, 0, -1, '5m', '-1m', '1h30m', '1.5h', '300ms', '10us'])
		expect([value, isValidKeepAlive(value)]).toEqual([value, true]);
	for (const value of ['120', 'abc', '5 m', '5min', '', 'm', NaN])
		expect([value, isValidKeepAlive(value)]).toEqual([value, false]);
});
