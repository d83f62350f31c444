import { sleepWithAbort } from '../../../lib/http/sleep';

test('case 60: a pause is left at once when it is cancelled', async () => {
	const stop = new AbortController();
	const pause = sleepWithAbort(3_600_000, stop.signal);
	stop.abort(new Error('stopped'));
	await expect(pause).rejects.toThrow('stopped');
});
