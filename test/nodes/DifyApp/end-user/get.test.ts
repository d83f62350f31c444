import { startApp, UNKNOWN_ID } from '../../../lib/dify/client';
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

	it('a Dify that is too old for it', async () => {
		const sim = await startApp('1.12', { mode: 'chat' });
		const parameters = { resource: 'endUser', operation: 'get', endUserId: UNKNOWN_ID };
		expect((await nodeErrorOf(run(sim, parameters))).message).toBe(
			'Looking up an end user needs Dify 1.14 or newer, this is 1.12.1',
		);
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
