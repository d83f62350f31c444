import { backOffMs, pauseFor } from '../../../lib/http/waiting';
import { performance } from '../../support/node';
import { AT_ONCE_MS } from '../../support/time';

describe('pauses before a request is sent again', () => {
	const pauses = (reason: 'loading' | 'busy' | 'refused') =>
		[0, 1, 2, 3, 4, 5, 100].map((waits) => backOffMs(reason, waits));

	test.each(['busy', 'refused'] as const)('%s: they grow to five seconds', (reason) => {
		expect(pauses(reason)).toEqual([500, 1000, 2000, 3000, 5000, 5000, 5000]);
	});

	test('loading: an answer comes at most two seconds after the model is there', () => {
		expect(pauses('loading')).toEqual([500, 1000, 2000, 2000, 2000, 2000, 2000]);
	});

	test('case 60: a pause is left at once when it is cancelled', async () => {
		const stop = new AbortController();
		const began = performance.now();
		const pause = pauseFor(60_000, stop.signal);
		stop.abort(new Error('stopped'));
		await expect(pause).rejects.toThrow('stopped');
		expect(performance.now() - began).toBeLessThan(AT_ONCE_MS);
	});
});
