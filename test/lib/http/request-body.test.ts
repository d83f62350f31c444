import { connectTo } from '../../../lib/servers/connect';
import { closeChannels } from '../../../lib/http/dispatcher';
import { wellFormedJson } from '../../../lib/http/request-body';
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

test.each([
	['a key', { ['cut \uD83D']: 1 }, { 'cut \uFFFD': 1 }],
	['several values', [{ a: 'x\uDFFF\uD800' }, '\uD83D\uDC4D'], [{ a: 'x\uFFFD\uFFFD' }, '\uD83D\uDC4D']],
	['a text with an escape', ['\\ud83d', '\\\\ud83d', '\\\uD83D'], ['\\ud83d', '\\\\ud83d', '\\\uFFFD']],
])('only half characters are replaced: %s', (_name, value, sent) => {
	expect(JSON.parse(wellFormedJson(value))).toEqual(sent);
});
