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

	it('Speed Test of a server that does not work', async () => {
		await sim({ apiKey: 'another' });
		const item = (await run({ parameters: { operation: 'speedTest' } }))[1]![0];
		expect(item!.json).toMatchObject({ status: 'unauthorized' });
		expect(item!.json).not.toHaveProperty('speed');
	});

	it.each([
		[{ tokens: 1e9 }, 'The field "Tokens" must be a number from 1 to 4096, but is 1000000000'],
		[
			{ concurrentRequests: 1e6 },
			'The field "Concurrent Requests" must be a number from 1 to 64, but is 1000000',
		],
		[
			{ concurrentRequests: '65' },
			'The field "Concurrent Requests" must be a number from 1 to 64, but is "65"',
		],
		[{ tokens: -1 }, 'The field "Tokens" must be a number from 1 to 4096, but is -1'],
		[{ tokens: [] }, 'The field "Tokens" must be a number from 1 to 4096, but is []'],
		[{ tokens: true }, 'The field "Tokens" must be a number from 1 to 4096, but is true'],
		[
			{ expectations: { minContext: '8k' } },
			'The field "Context" must be a number from 0, but is "8k"',
		],
		[
			{ expectations: { minContext: -5 } },
			'The field "Context" must be a number from 0, but is -5',
		],
		[
			{ expectations: { model: { name: 'a' } } },
			'The field "Model" must be a text, but is {"name":"a"}',
		],
		[
			{ options: { timeout: 0 } },
			'The field "Check Timeout (Seconds)" must be a number from 0.1, but is 0',
		],
		[
			{ model: { __rl: true, mode: 'id', value: ['a'] } },
			'The field "Model" must be a text, but is ["a"]',
		],
		[
			{ model: { name: 'x'.repeat(500) } },
			`The field "Model" must be a text, but is {"name":"${'x'.repeat(90)}…`,
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
