import { connectTo } from '../../../lib/servers/connect';
import { closeChannels } from '../../../lib/http/dispatcher';
import { startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

test('half a character in the request does not break it', async () => {
	const sim = await startServer({});
	const cut = '👍'.slice(0, 1);
	const answer = await connectTo({ baseUrl: sim.url }).call(`${sim.url}/v1/chat/completions`, {
		json: { model: 'x', messages: [{ role: 'user', content: `cut ${cut}` }], max_tokens: 1 },
	});
	expect(answer.status).toBe(200);
	expect(JSON.stringify(sim.requests[0]!.body)).toContain('cut \uFFFD');
	await closeChannels();
	await sim.close();
});
