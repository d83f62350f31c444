import { runTurn } from '../../../lib/chat/turn';
import { createModelServer } from '../../../lib/servers/endpoint';
import { collectTruncationWarnings } from '../../../lib/servers/truncation';
import { delta, sendEvents, sse } from '../../guarantees/support/responses';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { PLAIN_SETTINGS } from '../chat/chat-settings';
import { useSimulator } from '../../simulators/use-simulator';
import { toInput } from '../../support/texts/messages';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const serveScript = useSimulator(startScripted);

const LLAMA_SERVER = {
	'/v1/models': {
		object: 'list',
		data: [{ id: 'm', owned_by: 'llamacpp', meta: { n_ctx: 32768 } }],
	},
};
const props = (context: number) => ({
	...LLAMA_SERVER,
	'/props': { total_slots: 4, default_generation_settings: { n_ctx: context } },
});
const vllm = (context: number) => ({
	'/v1/models': { object: 'list', data: [{ id: 'm', owned_by: 'vllm', max_model_len: context }] },
});
const ollama = (context: number) => ({
	'/v1/models': { object: 'list', data: [{ id: 'm', owned_by: 'library' }] },
	'/api/version': { version: '0.33.0' },
	'/api/ps': { models: [{ name: 'm', model: 'm', context_length: context }] },
});

/** The warnings about a prompt of so many tokens. */
async function chat(routes: Record<string, unknown>, promptTokens: number, content: string) {
	const scripted = await serveScript(({ method, path }, response) => {
		const [route = ''] = path.split('?');
		if (method === 'GET' || !path.endsWith('/chat/completions'))
			return sendJson(response, routes[route] ?? {}, route in routes ? 200 : 404);
		const usage = { prompt_tokens: promptTokens, completion_tokens: 2 };
		const chunks = [delta({ content: 'Hello' }), delta({}, 'stop'), { choices: [], usage }];
		return sendEvents(response, sse(...chunks, '[DONE]'));
	});
	const server = createModelServer({ baseUrl: scripted.url }, NO_EXECUTION);
	const settings = { ...PLAIN_SETTINGS, model: 'm' };
	const { warnings } = await runTurn({
		server,
		settings,
		chatRequest: { messages: [toInput({ type: 'human', content })] },
	});
	return warnings.filter((warning) => warning.includes('tokens of context'));
}

test.each<[string, Record<string, unknown>, number, string, string]>([
	['llama-server', props(8192), 7900, 'Hi', '7,900 of 8,192'],
	['llama-server, full', props(4096), 4096, 'Hi', '4,096 of 4,096'],
	['vLLM', vllm(32768), 30000, 'Hi', '30,000 of 32,768'],
	['Ollama', ollama(4096), 3700, 'Some words of text. '.repeat(500), '3,700 of 4,096'],
])('a prompt that nearly fills the context of %s', async (_name, routes, tokens, text, counts) => {
	const warnings = await chat(routes, tokens, text);
	expect(warnings).toEqual([expect.stringContaining(`The prompt used ${counts} tokens`)]);
	expect(warnings[0]!.split(/\s/).length).toBeLessThanOrEqual(40);
});

test.each<[string, Record<string, unknown>, number]>([
	['a prompt that leaves a tenth', props(8192), 7372],
	['a short prompt', vllm(8192), 20],
	['a server that reports no context', LLAMA_SERVER, 32000],
	['a server that reports no tokens', props(8192), 0],
	['a count above the context, such as that of all requests', vllm(8192), 20000],
])('no hint for %s', async (_name, routes, tokens) => {
	expect(await chat(routes, tokens, 'Hi')).toEqual([]);
});

test.each([
	{ what: 'emoji', text: '😀😁'.repeat(1_000), tokens: 600 },
	{ what: 'letters beyond the first 65,536 code points', text: '𝒜𝒞'.repeat(1_000), tokens: 600 },
	{ what: 'Latin letters', text: 'word '.repeat(800), tokens: 600 },
])(
	'no hint about truncation for 4,000 characters in $tokens tokens: $what',
	async ({ text, tokens }) => {
		const scripted = await serveScript((_request, response) => sendJson(response, {}, 404));
		const server = createModelServer({ baseUrl: scripted.url }, NO_EXECUTION);
		const input = { texts: [text], processedTokens: tokens, model: 'm' };
		expect(await collectTruncationWarnings(server, input)).toEqual([]);
		const few = { ...input, processedTokens: Math.floor(tokens / 4) };
		expect(await collectTruncationWarnings(server, few)).toHaveLength(1);
	},
);
