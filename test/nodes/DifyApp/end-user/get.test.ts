import { nodeErrorOf } from '../../dify';
import { binaryItem, chatApp, run } from '../app';

describe('an end user', () => {
	it('by the ID that an upload names', async () => {
		const sim = await chatApp();
		const file = binaryItem('a.txt', 'text/plain', 'text');
		await run(
			sim,
			{ resource: 'file', operation: 'upload', user: 'session-7', binaryPropertyName: 'data' },
			{ items: [file] },
		);
		const [user] = [...sim.app('chat').endUsers.values()];
		const found = await run(sim, { resource: 'endUser', operation: 'get', endUserId: user!.id });
		expect(found).toMatchObject([{ json: { id: user!.id, session_id: 'session-7' } }]);
	});

	it('an ID of another form is refused before anything is sent', async () => {
		const sim = await chatApp();
		const refused = await nodeErrorOf(
			run(sim, { resource: 'endUser', operation: 'get', endUserId: 'session-7' }),
		);
		expect(refused.message).toContain('end user ID');
		expect(sim.requests).toEqual([]);
	});
});
