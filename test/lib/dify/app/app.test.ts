import { describeApp } from '../../../../lib/dify/app/app';
import { send, startFaultServer } from '../../../faults/fault-server';
import { clientOf, failureOf, startApp } from '../client';

describe('what Dify tells of an app', () => {
	it('part by part', async () => {
		const sim = await startApp({ mode: 'chat', name: 'Helper', site: true });
		const found = await describeApp(clientOf(sim), ['info', 'parameters', 'meta', 'site']);
		expect(found).toMatchObject({
			info: { name: 'Helper' },
			parameters: { user_input_form: [] },
			meta: { tool_icons: {} },
			site: { title: expect.any(String) as string },
		});
	});

	it('no web app is no error, and says nothing of the key', async () => {
		const sim = await startApp({ mode: 'chat', site: false });
		expect(await describeApp(clientOf(sim), ['site'])).toEqual({ site: null });
	});

	it('an app that is not published is one', async () => {
		const sim = await startApp({ mode: 'chat', published: false });
		expect((await failureOf(describeApp(clientOf(sim), ['parameters']))).code).toBe(
			'app_unavailable',
		);
	});

	it('where one part fails, the request for another is given up', async () => {
		let askForOther = () => {};
		const otherIsAsked = new Promise<void>((resolve) => {
			askForOther = resolve;
		});
		const server = await startFaultServer({
			handle: async ({ path, socket, answered }) => {
				if (!path.endsWith('/info')) return askForOther();
				await otherIsAsked;
				await send(socket, 'HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}');
				answered();
			},
		});
		const asked = describeApp(clientOf({ url: `${server.url}/v1` }), ['info', 'parameters']);
		expect(await failureOf(asked)).toMatchObject({ status: 404 });
		await server.settle(10_000);
		expect(server.held).toBe(0);
		await server.close();
	});
});
