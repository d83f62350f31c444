import { sleepWithAbort } from '../../../lib/http/sleep';

test('Stop ends a pause immediately', async () => {
	const stop = new AbortController();
	const pause = sleepWithAbort(3_600_000, stop.signal);
	stop.abort(new Error('any reason'));
	await expect(pause).rejects.toMatchObject({ type: 'aborted' });
	await expect(sleepWithAbort(1, stop.signal)).rejects.toMatchObject({ type: 'aborted' });
});
