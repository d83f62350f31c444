import { chatApp, run } from '../app';

describe('the app', () => {
	it('get', async () => {
		const sim = await chatApp({ name: 'Helper' });
		expect(await run(sim, { resource: 'app', operation: 'get' })).toMatchObject([
			{ json: { info: { name: 'Helper' } } },
		]);
	});

	it('an operation that does not exist', async () => {
		const sim = await chatApp();
		await expect(run(sim, { resource: 'app', operation: 'explode' })).rejects.toThrow(
			'no operation "explode"',
		);
	});
});
