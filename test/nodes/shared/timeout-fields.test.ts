import { timeoutFields, readRequestSettings } from '../../../nodes/shared/timeout-fields';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { fakeContext } from '../../support/context';

const limitsOf = (options: Record<string, unknown>) => {
	const options_ = {
		displayName: 'Options',
		name: 'options',
		type: 'collection' as const,
		default: {},
		options: timeoutFields,
	};
	return readRequestSettings(
		new NodeParameters(fakeContext({ options }, {}).context, 0, [options_]),
	);
};

it('nothing set: the default timeouts, three retries', () => {
	expect(limitsOf({})).toEqual({ timeouts: {}, retries: 3 });
});

it('seconds become milliseconds; 0 is no limit', () => {
	expect(limitsOf({ firstTokenTimeout: '0.5', maxRetries: 0 })).toEqual({
		timeouts: { firstTokenMs: 500 },
		retries: 0,
	});
	expect(limitsOf({ firstTokenTimeout: 0 }).timeouts).toEqual({ firstTokenMs: 0 });
});

it.each([
	[{ firstTokenTimeout: -1 }, 'First Token Timeout'],
	[{ firstTokenTimeout: 'long' }, 'First Token Timeout'],
	[{ maxRetries: 21 }, 'Retries'],
])('%j is rejected with the field name', (options, field) => {
	expect(() => limitsOf(options)).toThrow(field);
});
