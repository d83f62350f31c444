import fc from 'fast-check';

import { failure } from '../../../lib/errors/failure';
import { connectTo } from '../../../lib/servers/connect';
import { withinLimits } from '../../../lib/servers/within-limits';

jest.mock('../../../lib/http/waiting', () =>
	jest.requireActual<object>('../../support/skipped-pauses'),
);

describe('a look-up before a request', () => {
	const connection = connectTo({ baseUrl: 'http://gpu:8080' });
	/** Fails with each of these statuses in turn, then succeeds. */
	const lookUp = (statuses: readonly number[]) => {
		const left = [...statuses];
		return async () => {
			await Promise.resolve();
			const status = left.shift();
			if (status === undefined) return 'qwen3';
			throw failure('gateway', {}, { status });
		};
	};
	const passing = fc.constantFrom(502, 503, 504);

	it('is repeated as often as the request, while a gateway does not reach the server', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(passing, { maxLength: 5 }),
				fc.nat(5),
				async (statuses, retries) => {
					const found = withinLimits(connection, { retries, signal: undefined }, lookUp(statuses));
					if (statuses.length <= retries) await expect(found).resolves.toBe('qwen3');
					else await expect(found).rejects.toMatchObject({ status: statuses[retries] });
				},
			),
		);
	});

	it('waits while the server is loading its model, until the First Token Limit', async () => {
		let asked = 0;
		const loading = async (times: number) => {
			await Promise.resolve();
			asked += 1;
			if (asked > times) return 'qwen3';
			throw failure('loading', {}, { status: 503 });
		};
		const limits = { firstTokenMs: 60_000 };
		const settings = { limits, signal: undefined };
		expect(await withinLimits(connection, settings, async () => await loading(10))).toBe('qwen3');
		await expect(
			withinLimits(connection, settings, async () => await loading(1_000)),
		).rejects.toMatchObject({ kind: 'loading' });
	});

	it('fails at once where another try would fail, too', async () => {
		const found = withinLimits(connection, { retries: 3, signal: undefined }, lookUp([500, 200]));
		await expect(found).rejects.toMatchObject({ status: 500 });
	});
});
