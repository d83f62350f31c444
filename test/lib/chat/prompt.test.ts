import { applyTemplate, countPrompt } from '../../../lib/chat/prompt';
import { connectTo } from '../../../lib/servers/connect';
import { reply, type SimOptions, startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';

const start = useSimulator(startLlamaServerSim);

async function server(options: SimOptions = {}) {
	const sim = await start(options);
	return { sim, connection: connectTo({ baseUrl: sim.url }) };
}
const ASK = { model: 'sim-model' };
const messages = [
	{ type: 'system' as const, content: 'Be short.' },
	{ type: 'human' as const, content: 'hi' },
];
const TOOL = {
	type: 'function',
	function: { name: 'get_time', parameters: { type: 'object', properties: {} } },
};
const PROMPT =
	'<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n';

describe('llama-server', () => {
	it('shows the prompt, and counts as many tokens as it has', async () => {
		const { connection } = await server();
		expect(await applyTemplate(connection, { messages }, ASK)).toBe(PROMPT);
		// The simulator takes each character for a token.
		expect(await countPrompt(connection, { messages }, ASK)).toEqual({
			tokens: PROMPT.length,
			exact: true,
		});
	});

	it('counts the tools and gets the arguments of the template', async () => {
		const { sim, connection } = await server();
		const conversation = { messages, tools: [TOOL], templateArguments: { enable_thinking: false } };
		const { tokens } = await countPrompt(connection, conversation, ASK);
		expect(tokens).toBeGreaterThan(PROMPT.length);
		expect(sim.requests.at(-1)).toMatchObject({
			path: '/v1/chat/completions/input_tokens',
			body: { tools: [TOOL], chat_template_kwargs: { enable_thinking: false } },
		});
	});

	it('of an older release counts the tokens of the prompt', async () => {
		const { sim, connection } = await server();
		sim.route('POST /v1/chat/completions/input_tokens', reply.error(404, 'File Not Found'));
		expect(await countPrompt(connection, { messages }, ASK)).toMatchObject({ exact: true });
		expect(sim.requests.at(-1)).toMatchObject({
			path: '/tokenize',
			body: { content: PROMPT, add_special: true, parse_special: true },
		});
	});

	it.each([
		['/v1/chat/completions/input_tokens', countPrompt],
		['/apply-template', applyTemplate],
	])('that answers something else at %s is not understood', async (path, ask) => {
		const { sim, connection } = await server();
		sim.route(`POST ${path}`, reply.json({ ok: true }));
		await expect(ask(connection, { messages }, ASK)).rejects.toMatchObject({
			kind: 'invalidAnswer',
		});
	});
});

describe('other servers', () => {
	it('a router gets the model in the body', async () => {
		const { sim, connection } = await server({ profile: 'router' });
		await applyTemplate(connection, { messages }, ASK);
		expect(sim.requests.at(-1)!.body).toMatchObject({ model: 'sim-model' });
	});

	it('vLLM counts in its own form', async () => {
		const { sim, connection } = await server({ profile: 'vllm' });
		sim.route('POST /tokenize', reply.json({ count: 21, max_model_len: 8192, tokens: [] }));
		expect(await countPrompt(connection, { messages }, ASK)).toEqual({ tokens: 21, exact: true });
		expect(sim.requests.at(-1)!.body).toMatchObject({
			model: 'sim-model',
			add_generation_prompt: true,
		});
	});

	it('Ollama does neither: an estimate that counts every message, and a clear refusal', async () => {
		const { connection } = await server({ profile: 'ollama' });
		const one = await countPrompt(connection, { messages: messages.slice(1) }, ASK);
		const both = await countPrompt(connection, { messages, tools: [TOOL] }, ASK);
		expect([one.exact, both.exact]).toEqual([false, false]);
		expect(both.tokens).toBeGreaterThan(one.tokens + 20);
		await expect(applyTemplate(connection, { messages }, ASK)).rejects.toMatchObject({
			kind: 'notSupported',
			message: 'Ollama has no route that applies a chat template',
		});
	});
});
