import { expectEndOnStop, run, server, sim, useServer } from './run-node';

useServer();

describe('Speed Test', () => {
	it.each([
		[
			{ tokens: 1e9 },
			'The field "Maximum Tokens" must be a number from 1 to 4096, but is 1000000000',
		],
		[
			{ options: { timeout: 0 } },
			'The field "Check Timeout (Seconds)" must be a number from 0.1, but is 0',
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
