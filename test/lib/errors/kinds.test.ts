import { isRetryable, type FailureKind } from '../../../lib/errors/kinds';

describe('what may be sent again', () => {
	test.each<FailureKind>(['refused', 'loading', 'busy', 'tooManyRequests', 'rateLimited'])(
		'%s: nothing was started, so the same request may go out again',
		(kind) => {
			expect(isRetryable(kind)).toBe(true);
		},
	);

	test.each<FailureKind>([
		'connectionLost',
		'closedBeforeAnswer',
		'gateway',
		'serverError',
		'streamEndedEarly',
		'idleLimit',
		'totalLimit',
		'timeout',
		'runFailed',
		'quota',
		'aborted',
	])('%s: something may have run, or nothing will change', (kind) => {
		expect(isRetryable(kind)).toBe(false);
	});
});
