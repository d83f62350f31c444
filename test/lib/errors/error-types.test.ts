import { isRetryable, isConnectionError, type ErrorType } from '../../../lib/errors/server-error';

describe('isRetryable', () => {
	test.each<ErrorType>(['connectionRefused', 'modelLoading', 'busy'])(
		'%s: nothing was started, so the request can be retried',
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
	])('%s: the request may have run, or would fail again, so it is not retried', (kind) => {
		expect(isRetryable(kind)).toBe(false);
	});
});

test('isConnectionError is true if no connection was established', () => {
	expect(
		(['dnsLookupFailed', 'connectionRefused', 'connectTimeout', 'tlsUntrusted'] as const).every(
			isConnectionError,
		),
	).toBe(true);
	expect(
		(['busy', 'unauthorized', 'connectionLost', 'serverError'] as const).some(isConnectionError),
	).toBe(false);
});
