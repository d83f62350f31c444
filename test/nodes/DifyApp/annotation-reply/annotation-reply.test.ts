import { chatApp, run } from '../app';

describe('the reply of annotations', () => {
	it('the reply is switched on and off, and its job asked for', async () => {
		const sim = await chatApp();
		for (const action of ['enable', 'disable']) {
			const [set] = await run(sim, {
				resource: 'annotationReply',
				operation: action,
				options: { waitLimit: 0 },
			});
			expect(set!.json).toMatchObject({ status: 'waiting' });
			const { jobId } = set!.json;
			const [job] = await run(sim, {
				resource: 'annotationReply',
				operation: 'getStatus',
				action,
				jobId,
			});
			expect(job!.json).toMatchObject({ status: 'completed' });
			expect(sim.app('chat').annotationReply.enabled).toBe(action === 'enable');
		}
	});
});
