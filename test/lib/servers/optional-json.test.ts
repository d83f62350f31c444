import { connectTo } from '../../../lib/servers/connect';
import { optionalJson } from '../../../lib/servers/optional-json';
import { reply, startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

describe('a route that not every server has', () => {
	it('gives its JSON object, below the root of the server', async () => {
		const sim = await startServer();
		sim.route('GET /api/ps', reply.json({ models: [] }));
		expect(await optionalJson(connectTo({ baseUrl: `${sim.url}/v1` }), '/api/ps', {})).toEqual({
			models: [],
		});
	});

	it.each([
		['an error', () => reply.error(404, { error: 'nope' })],
		['a list', () => reply.json([1])],
		['a page', () => reply.html(200, '<html></html>')],
		['a closed connection', () => reply.closed()],
		['silence', () => reply.silence()],
	])('gives nothing where it answers %s', async (_what, answer) => {
		const sim = await startServer();
		sim.route('GET /api/ps', answer());
		expect(
			await optionalJson(connectTo({ baseUrl: sim.url }), '/api/ps', { timeoutMs: 200 }),
		).toBeUndefined();
	});
});
