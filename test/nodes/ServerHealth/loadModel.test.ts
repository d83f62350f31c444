import { expectEndOnStop, run, server, sim, useServer } from './run-node';

useServer();

describe('Load Model', () => {
	it('waits until a router has loaded the model', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', loadMs: 20 }] });
		const model = { __rl: true, mode: 'list', value: 'big' };
		expect((await run({ parameters: { operation: 'loadModel', model } }))[0]).toMatchObject([
			{ json: { model: 'big', state: 'loaded', changed: true } },
		]);
		expect(server().models).toMatchObject([{ id: 'big', status: 'loaded' }]);
	});

	it('of a model that is loaded changes nothing', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
		expect((await run({ parameters: { operation: 'loadModel', model: 'big' } }))[0]).toMatchObject([
			{ json: { model: 'big', state: 'loaded', changed: false } },
		]);
		expect(server().requests.filter(({ method }) => method === 'POST')).toEqual([]);
	});

	it('Load Model on a server that cannot', async () => {
		await sim();
		await expect(run({ parameters: { operation: 'loadModel', model: 'sim-model' } })).rejects.toMatchObject({
			description: expect.stringContaining('--models-dir') as string,
		});
	});

	it('ends at once on Stop, and leaves nothing running on the server', async () => {
		await expectEndOnStop(
			{ profile: 'router', models: [{ id: 'big', loadMs: 60_000 }] },
			{ operation: 'loadModel', model: 'big' },
		);
	});
});
