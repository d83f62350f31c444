import { isLoopback, formatDuration } from '../../../../lib/errors/texts';

describe('parts of error texts', () => {
	test('isLoopback recognizes the names of this machine', () => {
		expect(
			['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '[::1]', '0.0.0.0'].every(isLoopback),
		).toBe(true);
		expect(['10.0.0.1', 'localhost.lan', '1127.0.0.1', undefined].some(isLoopback)).toBe(false);
	});

	test('formatDuration uses readable units', () => {
		expect([undefined, 200, 1500, 15_000, 119_000, 120_000, 1_800_000].map(formatDuration)).toEqual(
			['the configured time', '200 ms', '1.5 s', '15 s', '119 s', '2 minutes', '30 minutes'],
		);
	});
});
