/** Self-written servers on a real FastAPI and uvicorn (docs/protocols/other-servers.md 3). */
import { check } from '../lib/health/support';
import { describeWith } from '../support/jest/describe-if';
import { chat } from './support/clients';
import { connection, problemOf, startServer, stopServers } from './support/servers';
import { toInput } from '../support/texts/messages';

const MODEL = { model: 'm' };
const SAID = 'You said: Say hello.';

describeWith(problemOf('fastapi'), 'a custom server on FastAPI', () => {
	let url: string;
	beforeAll(async () => {
		({ url } = await startServer('fastapi'));
	});
	afterAll(stopServers);

	it.each(['/v1', '/v1/', '/v1/chat/completions'])(
		'a response that is not streamed, at %s',
		async (path) => {
			const { answer } = await chat(connection(`${url}${path}`, 'sk-test'), MODEL);
			expect(answer.text).toBe(SAID);
		},
	);

	it('fields that a strict server rejects are omitted', async () => {
		const { answer } = await chat(connection(`${url}/strict/v1`), {
			...MODEL,
			sampling: { temperature: 0.5, topK: 5, topP: 0.9, seed: 1, maxTokens: 7 },
		});
		expect(answer.text).toBe(SAID);
		expect(answer.warnings.join(' ')).toMatch(/top_k/);
	});

	it('a conversation with tool calls and results has only strings as content', async () => {
		const { answer } = await chat(connection(`${url}/strict/v1`), MODEL, {
			messages: [
				toInput({ type: 'human', content: [{ type: 'text', text: 'Weather?' }] }),
				toInput({
					type: 'ai',
					content: '',
					toolCalls: [{ id: 'a', name: 'get_weather', args: { city: 'Rome' } }],
				}),
				toInput({ type: 'tool', content: 'fine', toolCallId: 'a' }),
			],
		});
		expect(answer.text).toBe('You said: fine');
	});

	it('Server Health identifies it', async () => {
		const { server, models } = await check(`${url}/v1`, {}, { apiKey: 'sk-test' });
		expect(server.type).toBe('openAiCompatible');
		expect(models?.map(({ id }) => id)).toEqual(['m']);
	});
});
