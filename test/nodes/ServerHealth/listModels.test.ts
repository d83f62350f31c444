import { run, sim, useServer } from './run-node';

useServer();

describe('List Models', () => {
	it('List Models: one item for each, paired with the input', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', status: 'loaded' }, { id: 'small' }] });
		const outputs = await run({ items: 2, parameters: { operation: 'listModels' } });
		expect(outputs[0]!.map(({ json, pairedItem }) => [json.id, json.loaded, pairedItem])).toEqual([
			['big', true, { item: 0 }],
			['small', false, { item: 0 }],
			['big', true, { item: 1 }],
			['small', false, { item: 1 }],
		]);
	});

	it('List Models fails where there is no list, with the advice', async () => {
		await sim({ apiKey: 'another' });
		await expect(run({ parameters: { operation: 'listModels' } })).rejects.toMatchObject({
			message: expect.stringContaining('The server refuses the API key') as string,
			description: expect.stringContaining('--api-key') as string,
		});
	});

	it('a time limit that makes no sense is an error that names it', async () => {
		await sim();
		const parameters = { operation: 'listModels', options: { timeLimit: 'soon' } };
		await expect(run({ parameters })).rejects.toMatchObject({
			message: 'The field "Time Limit of a Check (Seconds)" must be a number from 0.1, but is "soon"',
		});
	});
});
