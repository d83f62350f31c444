import { expectEndOnStop, run, sim, useServer } from './run-node';

useServer();

describe('Wait Until Ready', () => {
	it('Wait Until Ready', async () => {
		await sim({ loadingFor: 3 });
		const outputs = await run({
			parameters: { operation: 'waitUntilReady', waitTimeout: 60 },
		});
		expect(outputs[0]).toMatchObject([
			{
				json: {
					status: 'healthy',
					wait: { history: [{ status: 'loading' }, { status: 'healthy' }] },
				},
			},
		]);
	});

	it('Wait Until Ready with a rejected key returns immediately', async () => {
		await sim({ apiKey: 'another' });
		expect((await run({ parameters: { operation: 'waitUntilReady' } }))[1]).toMatchObject([
			{ json: { status: 'unauthorized', wait: { checks: 1 } } },
		]);
	});

	it.each([
		['while the model loads', { loadingFor: { ms: 60_000 } }, {}],
		[
			'while nothing answers',
			{ connections: () => 'silent' as const },
			{ waitTimeout: 60, options: { timeout: 30 } },
		],
	])(
		'ends immediately on Stop %s, and leaves nothing running on the server',
		async (_when, options, parameters) => {
			await expectEndOnStop(options, { operation: 'waitUntilReady', ...parameters });
		},
	);
});
