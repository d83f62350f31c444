import { connectTo } from '../../../../lib/servers/connect';
import { tokensOf } from '../../../../lib/servers/manage/tokenize';
import { reply, startLlamaServerSim } from '../../../servers/llama-server';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

describe('the tokens of a text', () => {
	it('are asked of llama-server, below its root', async () => {
		const sim = await startServer();
		sim.route('POST /tokenize', reply.json({ tokens: [1, 2] }));
		expect(
			await tokensOf(connectTo({ baseUrl: `${sim.url}/v1` }), 'Hi', { special: true }),
		).toEqual([1, 2]);
		expect(sim.requests[0]!.body).toEqual({ content: 'Hi', add_special: true });
	});

	it.each([
		['has no such route', () => reply.error(404, { error: 'nope' })],
		['names the pieces too', () => reply.json({ tokens: [{ id: 1, piece: 'H' }] })],
		['answers with something else', () => reply.json({ count: 2 })],
	])('are not known where the server %s', async (_what, answer) => {
		const sim = await startServer();
		sim.route('POST /tokenize', answer());
		expect(
			await tokensOf(connectTo({ baseUrl: sim.url }), 'Hi', { special: false }),
		).toBeUndefined();
	});
});
