import { isRetryable, isConnectionError, type ErrorType } from '../../../lib/errors/error-types';

describe('what may be sent again', () => {
	test.each<ErrorType>(['connectionRefused', 'modelLoading', 'busy'])(
		'%s: nothing was started, so the same request may go out again',
		(kind) => {
			expect(isRetryable(kind)).toBe(true);
		},
	);

	test.each<ErrorType>([
		'connectionLost',
		'closedBeforeResponse',
		'badGateway',
		'serverError',
		'streamEndedEarly',
		'idleTimeout',
		'totalTimeout',
		'runTimeout',
		'runFailed',
		'quotaExceeded',
		'aborted',
	])('%s: something may have run, or nothing will change', (kind) => {
		expect(isRetryable(kind)).toBe(false);
	});
});

test('where no connection was made, another request fails in the same way', () => {
	expect(
		(['dnsLookupFailed', 'connectionRefused', 'connectTimeout', 'tlsUntrusted'] as const).every(
			isConnectionError,
		),
	).toBe(true);
	expect(
		(['busy', 'unauthorized', 'connectionLost', 'serverError'] as const).some(isConnectionError),
	).toBe(false);
});
