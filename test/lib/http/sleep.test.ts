import { sleepWithAbort } from '../../../lib/http/sleep';

test('case 60: Stop ends a pause immediately', async () => {
	const stop = new AbortController();
	const pause = sleepWithAbort(3_600_000, stop.signal);
	stop.abort(new Error('stopped'));
	await expect(pause).rejects.toThrow('stopped');
});
