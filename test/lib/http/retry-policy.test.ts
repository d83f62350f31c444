import { createServerError } from '../../../lib/errors/create-error';
import { RetryPolicy } from '../../../lib/http/retry-policy';

const refused = createServerError('connectionRefused', {});
const loading = createServerError('modelLoading', {});

test.each([
	[0, [250, 500, 1000, 1500, 2500, 2500]],
	[0.5, [500, 1000, 2000, 3000, 5000, 5000]],
	[1, [750, 1500, 3000, 4500, 7500, 7500]],
])('pauses vary by half, so that many workers do not return together: %d', (random, expected) => {
	const policy = new RetryPolicy(9, false, () => random);
	expect(expected.map(() => policy.nextDelayMs(refused, Infinity))).toEqual(expected);
});

test('while a model is loading, too', () => {
	const policies = [0, 1].map((random) => new RetryPolicy(0, false, () => random));
	for (let wait = 0; wait < 4; wait++)
		policies.forEach((policy) => policy.nextDelayMs(loading, Infinity));
	expect(policies.map((policy) => policy.nextDelayMs(loading, Infinity))).toEqual([1000, 3000]);
});

test('a pause that the server requests is kept exactly', () => {
	const busy = createServerError('busy', {}, { facts: { retryAfterMs: 1234 } });
	expect(new RetryPolicy(1, false, () => 1).nextDelayMs(busy, Infinity)).toBe(1234);
});
