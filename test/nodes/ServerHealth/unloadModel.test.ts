import { run, server, sim, useServer } from './run-node';

useServer();

describe('Unload Model', () => {
	it('loads on a router what Load Model loads, and frees it again', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', loadMs: 20 }] });
		const model = { __rl: true, mode: 'list', value: 'big' };
		await run({ parameters: { operation: 'loadModel', model } });
		expect(
			(await run({ parameters: { operation: 'unloadModel', model, modelOptions: { wait: false } } }))[0],
		).toMatchObject([{ json: { state: 'unloaded' } }]);
		expect(server().models).toMatchObject([{ id: 'big', status: 'unloaded' }]);
	});

	it('of a model that is not loaded changes nothing', async () => {
		await sim({ profile: 'router', models: [{ id: 'big' }] });
		expect((await run({ parameters: { operation: 'unloadModel', model: 'big' } }))[0]).toMatchObject([
			{ json: { model: 'big', state: 'unloaded', changed: false } },
		]);
		expect(server().requests.filter(({ method }) => method === 'POST')).toEqual([]);
	});

	it('of a model that is not there names those that are', async () => {
		await sim({ profile: 'router', models: [{ id: 'big' }] });
		const failed = run({ parameters: { operation: 'unloadModel', model: 'small' } });
		await expect(failed).rejects.toMatchObject({ description: expect.stringContaining('big') as string });
	});
});
