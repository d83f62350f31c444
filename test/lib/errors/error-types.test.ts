import { isRetryable, isConnectionError, type ErrorType } from '../../../lib/errors/error-types';

describe('what may be sent again', () => {
	test.each<ErrorType>(['refused', 'loading', 'busy'])(
		'%s: nothing was started, so the same request may go out again',
		(kind) => {
			expect(isRetryable(kind)).toBe(true);
		},
	);

	test.each<ErrorType>([
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

test('where no connection was made, another request fails in the same way', () => {
	expect(
		(['dns', 'refused', 'connectTimeout', 'tlsUntrusted'] as const).every(isConnectionError),
	).toBe(true);
	expect(
		(['busy', 'unauthorized', 'connectionLost', 'serverError'] as const).some(isConnectionError),
	).toBe(false);
});
