import { backOffMs } from '../../lib/transport/waiting';

describe('pauses before a request is sent again', () => {
	const pauses = (reason: 'loading' | 'busy' | 'refused') => [0, 1, 2, 3, 4, 5, 100].map((waits) => backOffMs(reason, waits));

	test.each(['busy', 'refused'] as const)('%s: they grow to five seconds', (reason) => {
		expect(pauses(reason)).toEqual([500, 1000, 2000, 3000, 5000, 5000, 5000]);
	});

	test('loading: an answer comes at most two seconds after the model is there', () => {
		expect(pauses('loading')).toEqual([500, 1000, 2000, 2000, 2000, 2000, 2000]);
	});
});
