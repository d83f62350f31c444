import { startChatApp, executeApp } from '../app';

describe('the app', () => {
	it('has its details in the item', async () => {
		const sim = await startChatApp({ name: 'Helper' });
		expect(await executeApp(sim, { resource: 'app', operation: 'get' })).toMatchObject([
			{ json: { info: { name: 'Helper' } } },
		]);
	});

	it('an operation that does not exist is an error', async () => {
		const sim = await startChatApp();
		await expect(executeApp(sim, { resource: 'app', operation: 'explode' })).rejects.toThrow(
			'no operation "explode"',
		);
	});
});
