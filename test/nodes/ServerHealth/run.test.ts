import type { INodeExecutionData } from 'n8n-workflow';

import { appKey, startDifySim } from '../../simulators/dify';
import { useSimulator } from '../../simulators/use-simulator';
import { run, shape, sim, useServer } from './run-node';

useServer();
const startDify = useSimulator(startDifySim);

describe('a run of the node', () => {
	it.each([
		['speedTest', 'speed'],
		['toolTest', 'toolTest'],
	])(
		'%s, left over from a model server, checks Dify and runs nothing',
		async (operation, field) => {
			const dify = await startDify();
			const [[item]] = (await run({
				parameters: { service: 'dify', operation, options: { timeout: 60 } },
				credentials: { baseUrl: dify.url, apiKey: appKey('chat') },
			})) as [INodeExecutionData[]];
			expect(item!.json).toMatchObject({ status: 'healthy' });
			expect(item!.json).not.toHaveProperty(field);
			expect(dify.runs).toEqual([]);
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
			message: expect.stringContaining('The execution was stopped') as string,
		});
	});
});

describe('as a tool of an agent, the node has one output', () => {
	it.each([
		['the tool that n8n makes of the node', { outputs: ['ai_tool'] }],
		["n8n's own assistant, which runs the node unchanged", { mode: 'internal' }],
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
