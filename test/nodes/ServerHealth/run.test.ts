import { appKey, startDifySim } from '../../servers/dify';
import { run, shape, sim, useServer } from './run-node';

useServer();

describe('a run of the node', () => {
	it.each(['speedTest'])(
		'%s, left over from a model server, is not asked of Dify',
		async (operation) => {
			const dify = await startDifySim();
			const failed = run({
				parameters: { service: 'dify', operation },
				credentials: { baseUrl: dify.url, apiKey: appKey('chat') },
			});
			await expect(failed).rejects.toMatchObject({
				message: `Dify has no operation "${operation}"`,
				description: expect.stringContaining('Wait Until Ready') as string,
			});
			expect(dify.requests).toEqual([]);
			await dify.close();
		},
	);

	it('an operation that does not exist', async () => {
		await sim();
		await expect(run({ parameters: { operation: 'constructor' } })).rejects.toMatchObject({
			message: 'This node has no operation "constructor"',
			description: expect.stringContaining('speedTest') as string,
		});
	});

	it('is cancelled with the execution', async () => {
		await sim({ connections: () => 'silent' });
		const abort = new AbortController();
		const running = run({ signal: abort.signal });
		abort.abort();
		await expect(running).rejects.toMatchObject({
			message: expect.stringContaining('cancelled') as string,
		});
	});
});

describe('as a tool of an agent, the node has one output', () => {
	it.each([
		['the tool that n8n makes of the node', { outputs: ['ai_tool'] }],
		["n8n's own assistant, which runs the node as it is", { mode: 'internal' }],
	])('%s gets an unhealthy server as its one result', async (_name, setup) => {
		await sim({ apiKey: 'another' });
		const outputs = await run(setup);
		expect(outputs).toHaveLength(1);
		expect(outputs[0]).toMatchObject([
			{ json: { status: 'unauthorized', findings: [{ id: 'unauthorized' }] } },
		]);
	});

	it('also without any input item', async () => {
		await sim();
		expect(shape(await run({ outputs: ['ai_tool'], items: 0 }))).toEqual([
			[['healthy', { item: 0 }]],
		]);
	});
});
