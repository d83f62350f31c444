import { limitFields, readLimits } from '../../../nodes/shared/limit-fields';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { fakeContext } from '../../support/context';

const limitsOf = (options: Record<string, unknown>) => {
	const options_ = {
		displayName: 'Options',
		name: 'options',
		type: 'collection' as const,
		default: {},
		options: limitFields,
	};
	return readLimits(new NodeParameters(fakeContext({ options }, {}).context, 0, [options_]));
};

it('nothing set: the limits of the package, three retries', () => {
	expect(limitsOf({})).toEqual({ limits: {}, retries: 3 });
});

it('seconds become milliseconds; 0 is no limit', () => {
	expect(limitsOf({ firstTokenLimit: 0.5, idleLimit: '60', totalLimit: 0, maxRetries: 0 })).toEqual(
		{
			limits: { firstTokenMs: 500, idleMs: 60_000, totalMs: 0 },
			retries: 0,
		},
	);
});

it.each([
	[{ firstTokenLimit: -1 }, 'First Token Limit'],
	[{ totalLimit: 'long' }, 'Total Limit'],
	[{ maxRetries: 21 }, 'Retries'],
])('%j is refused by name', (options, field) => {
	expect(() => limitsOf(options)).toThrow(field);
});
