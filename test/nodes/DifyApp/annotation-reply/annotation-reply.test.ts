import { chatApp, run } from '../app';

describe('the reply of annotations', () => {
	it('the reply is switched on and off, and its job asked for', async () => {
		const sim = await chatApp();
		const [on] = await run(sim, { resource: 'annotationReply', operation: 'enable', options: { waitLimit: 0 } });
		expect(on!.json).toMatchObject({ status: 'waiting' });
		const [job] = await run(sim, {
			resource: 'annotationReply',
			operation: 'getStatus',
			action: 'enable',
			jobId: on!.json.jobId,
		});
		expect(job!.json).toMatchObject({ status: 'completed' });
		expect(sim.app('chat').annotationReply.enabled).toBe(true);
	});
});
