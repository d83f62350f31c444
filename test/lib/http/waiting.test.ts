import { pauseFor } from '../../../lib/http/waiting';
import { performance } from '../../support/node';
import { AT_ONCE_MS } from '../../support/time';

test('case 60: a pause is left at once when it is cancelled', async () => {
	const stop = new AbortController();
	const began = performance.now();
	const pause = pauseFor(60_000, stop.signal);
	stop.abort(new Error('stopped'));
	await expect(pause).rejects.toThrow('stopped');
	expect(performance.now() - began).toBeLessThan(AT_ONCE_MS);
});
