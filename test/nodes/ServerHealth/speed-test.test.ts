import { expectEndOnStop, run, server, sim, useServer } from './run-node';

useServer();

describe('Speed Test', () => {
	it('Speed Test', async () => {
		await sim();
		const outputs = await run({
			parameters: {
				operation: 'speedTest',
				tokens: 8,
				concurrentRequests: '2',
				model: { __rl: true, mode: 'id', value: 'sim-model' },
			},
		});
		expect(outputs[0]).toMatchObject([
			{
				json: {
					status: 'healthy',
					speed: {
						model: 'sim-model',
						runs: [{ concurrentRequests: 1 }, { concurrentRequests: 2 }],
					},
				},
				pairedItem: { item: 0 },
			},
		]);
	});

	it.each([
		[{ tokens: 1e9 }, 'The field "Tokens" must be a number from 1 to 4096, but is 1000000000'],
		[
			{ concurrentRequests: 1e6 },
			'The field "Concurrent Requests" must be a number from 1 to 64, but is 1000000',
		],
		[
			{ expectations: { minContext: '8k' } },
			'The field "Context" must be a number from 0, but is "8k"',
		],
		[
			{ options: { timeout: 0 } },
			'The field "Check Timeout (Seconds)" must be a number from 0.1, but is 0',
		],
		[
			{ model: { __rl: true, mode: 'id', value: ['a'] } },
			'The field "Model" must be a text, but is ["a"]',
		],
	])(
		'a value out of an expression that makes no sense is an error that names it: %j',
		async (parameters, message) => {
			await sim();
			await expect(
				run({ parameters: { operation: 'speedTest', ...parameters } }),
			).rejects.toMatchObject({ message });
			expect(server().requests.filter(({ method }) => method === 'POST')).toEqual([]);
		},
	);

	it('ends immediately on Stop, and leaves nothing running on the server', async () => {
		await expectEndOnStop(
			{ tokenDelayMs: 50 },
			{ operation: 'speedTest', tokens: 4096, concurrentRequests: 4 },
		);
	});

	it('uses the set numbers of tokens and requests', async () => {
		await sim();
		await run({ parameters: { operation: 'speedTest', tokens: 8.9, concurrentRequests: 3 } });
		const requests = server().requests.filter(({ path }) => path.endsWith('/chat/completions'));
		expect(requests).toHaveLength(4);
		for (const { body } of requests)
			expect(body).toMatchObject({ max_tokens: 8, ignore_eos: true, cache_prompt: false });
	});
});
