import { changeModelFields } from '../../../nodes/ServerHealth/model-fields';
import { run, server, sim, useServer } from './run-node';

useServer();

describe('the fields for loading and unloading', () => {
	it('a model must be chosen', () => {
		expect(changeModelFields[0]).toMatchObject({ name: 'model', required: true });
	});

	it.each([
		['without a model', { model: { __rl: true, mode: 'list', value: '' } }, 'No model is chosen'],
		[
			'with a limit that makes no sense',
			{ model: 'big', modelOptions: { loadLimit: 'soon' } },
			'"Time Limit (Seconds)"',
		],
		['with a switch that is neither', { model: 'big', modelOptions: { wait: 'ja' } }, '"Wait Until Done"'],
	])('%s nothing is asked of the server', async (_how, parameters, message) => {
		await sim({ profile: 'router', models: [{ id: 'big' }] });
		for (const operation of ['loadModel', 'unloadModel'])
			await expect(run({ parameters: { operation, ...parameters } })).rejects.toMatchObject({
				message: expect.stringContaining(message) as string,
			});
		expect(server().requests.filter(({ method }) => method === 'POST')).toEqual([]);
	});

	it('a load that takes longer than its limit is an error, where it is waited for', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', loadMs: 60_000 }] });
		const modelOptions = { loadLimit: 1 };
		await expect(
			run({ parameters: { operation: 'loadModel', model: 'big', modelOptions: { ...modelOptions, wait: true } } }),
		).rejects.toMatchObject({ message: expect.stringContaining('1 s') as string });
		const outputs = await run({
			parameters: { operation: 'loadModel', model: 'big', modelOptions: { ...modelOptions, wait: 'false' } },
		});
		expect(outputs[0]).toMatchObject([{ json: { model: 'big', state: 'loading' } }]);
	});
});
