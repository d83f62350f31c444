import { connectTo } from '../../../../lib/servers/connect';
import { ChatClient } from '../../../../lib/chat/client';
import type { ChatParameters } from '../../../../lib/chat/types';
import { askServerKind, forgetServerKinds, identify } from '../../../../lib/servers/identify';
import { KINDS, REFUSALS, traitsOf } from '../../../../lib/servers/kinds';
import type { ServerAnswer, ServerAnswers, ServerKind, TellingRoute } from '../../../../lib/servers/kinds/kind';
import { parseJson } from '../../../../lib/values';
import { type LlamaServerSim, type Profile, reply, startLlamaServerSim } from '../../../servers/llama-server';
import { httpFixture } from '../../../support/streams';
import { PLAIN_SETTINGS } from '../../chat/chat-settings';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

/** A recorded answer, or one with this JSON body. */
function answer(from: string | object, status = 200, headers: Record<string, string> = {}): ServerAnswer {
	if (typeof from !== 'string') return { status, headers, text: JSON.stringify(from), json: from };
	const recorded = httpFixture(`${from}.http`);
	const text = recorded.body.toString('utf8');
	return {
		status: recorded.status,
		headers: Object.fromEntries(recorded.headers.map(([name, value]) => [name.toLowerCase(), value])),
		text,
		json: parseJson(text),
	};
}

const list = (...data: object[]) => ({ object: 'list', data });

describe('who gave these answers', () => {
	const SWAP = 'llama-swap-0bdb372';
	const LLAMA = 'llama-server-v0.5.0';
	const OLLAMA = 'ollama-v0.17.4';

	it.each<[string, ServerKind, Partial<Record<TellingRoute, string | object>>]>([
		['llama-server', 'llamaServer', { models: `${LLAMA}/models` }],
		['llama-server that refuses the key', 'llamaServer', { models: `${LLAMA}/key-models-none` }],
		['llama-server, by its /props alone', 'llamaServer', { props: `${LLAMA}/props` }],
		['llama-server while it loads', 'llamaServer', { health: `${LLAMA}/loading-health` }],
		['a router', 'llamaRouter', { models: `${LLAMA}/router-models-loaded` }],
		['llama-swap', 'llamaSwap', { models: `${SWAP}/models` }],
		[
			'llama-swap, asked with /api/version',
			'llamaSwap',
			{ models: `${SWAP}/models`, apiVersion: `${SWAP}/api-version` },
		],
		['llama-swap by /api/version alone', 'llamaSwap', { apiVersion: `${SWAP}/api-version` }],
		['llama-swap that refuses the key', 'llamaSwap', { models: `${SWAP}/key-none` }],
		[
			'llama-swap that hands on /props of llama-server',
			'llamaSwap',
			{ models: `${SWAP}/models`, props: `${SWAP}/props-model` },
		],
		['llama-swap that wants a model for /props', 'llamaSwap', { props: `${SWAP}/props-no-model` }],
		['Ollama', 'ollama', { models: `${OLLAMA}/models` }],
		['Ollama, asked with /api/version', 'ollama', { models: `${OLLAMA}/models`, apiVersion: `${OLLAMA}/version` }],
		['Ollama without models', 'ollama', { models: { object: 'list', data: null }, apiVersion: `${OLLAMA}/version` }],
		['Ollama without /v1', 'ollama', { models: `${OLLAMA}/not-found`, apiVersion: `${OLLAMA}/version` }],
		['a FastAPI server', 'other', { models: 'fastapi-0.165.0/models-bearer', health: 'fastapi-0.165.0/health-404' }],
		['a FastAPI server that refuses the key', 'other', { models: 'fastapi-0.165.0/models-none' }],
		['vLLM', 'vllm', { models: list({ id: 'Qwen/Qwen3-8B', owned_by: 'vllm', max_model_len: 40960 }) }],
		['GPUStack', 'gpustack', { models: list({ id: 'qwen3', owned_by: 'gpustack' }) }],
		[
			'LocalAI, which names neither owner nor date and plays Ollama 0.9.0 (mudler/LocalAI)',
			'localai',
			{ models: list({ id: 'gpt-4', object: 'model' }), apiVersion: { version: '0.9.0' } },
		],
		[
			'LocalAI by its version (mudler/LocalAI)',
			'localai',
			{ models: list(), version: { version: 'v4.1.0 (2a9e1f0c4be44a1d)' } },
		],
		[
			'Lemonade, which plays Ollama (lemonade-sdk/lemonade)',
			'lemonade',
			{
				models: list({ id: 'Qwen3-0.6B-GGUF', created: 1744173590, owned_by: 'lemonade', recipe: 'llamacpp' }),
				apiVersion: { version: '0.16.1' },
			},
		],
		[
			'KoboldCpp, which plays Ollama (LostRuins/koboldcpp)',
			'koboldcpp',
			{
				models: list({ id: 'koboldcpp/x', owned_by: 'koboldcpp', root: 'koboldcpp' }),
				apiVersion: { version: '0.7.0' },
			},
		],
		['LM Studio', 'lmStudio', { models: list({ id: 'qwen/qwen3-0.6b', owned_by: 'organization_owner' }) }],
		[
			'LM Studio, which answers missing routes with 200',
			'lmStudio',
			{ apiVersion: { error: 'Unexpected endpoint or method. (GET /api/version)' } },
		],
		['SGLang', 'sglang', { models: list({ id: 'q', owned_by: 'sglang', max_model_len: 32768 }), health: {} }],
		['TGI', 'tgi', { models: list({ id: 'org/m', object: 'model', created: 0, owned_by: 'org/m' }) }],
		[
			'TEI',
			'tei',
			{ info: { model_id: 'BAAI/bge-m3', model_type: { embedding: { pooling: 'cls' } }, max_client_batch_size: 32 } },
		],
		['LiteLLM', 'litellm', { models: list({ id: 'gpt-4o', created: 1_677_610_602, owned_by: 'openai' }) }],
		[
			'a server that plays Ollama and whose models belong to nobody of their names',
			'other',
			{ models: list({ id: 'phi-4', created: 1, owned_by: 'Foundry' }), apiVersion: { version: '0.6.4' } },
		],
		['something with /api/version and more in it', 'other', { apiVersion: { version: '1', name: 'something' } }],
		['nothing', 'other', {}],
	])('%s', (_name, kind, answers) => {
		const given = Object.fromEntries(
			Object.entries(answers).map(([route, from]) => [route, answer(from)]),
		) as ServerAnswers;
		expect(identify(given)).toBe(kind);
	});

	it('a page in place of the list is no Ollama, though /api/version answers (Open WebUI)', () => {
		const models = {
			status: 200,
			headers: { 'content-type': 'text/html' },
			text: '<!doctype html><html>',
			json: undefined,
		};
		expect(identify({ models, apiVersion: answer({ version: '0.6.5' }) })).toBe('other');
	});

	it('the version of each kind that names one', () => {
		const version = (kind: ServerKind, answers: ServerAnswers) => traitsOf(kind).version?.(answers);
		expect(version('ollama', { apiVersion: answer(`${OLLAMA}/version`) })).toBe('0.0.0');
		expect(version('llamaServer', { props: answer(`${LLAMA}/props`) })).toBe('b1-de3ff81');
		expect(version('llamaSwap', { props: answer(`${SWAP}/props-model`) })).toBeUndefined();
	});
});

describe('what is known of each kind', () => {
	it.each(Object.entries(KINDS))('%s says everything', (_kind, traits) => {
		expect(traits.label).not.toBe('');
		expect(traits.reasoningFields.length).toBeGreaterThan(0);
	});

	it('refusals are known once, whichever kind names them', () => {
		expect(new Set(REFUSALS.map(({ says }) => says.source)).size).toBe(REFUSALS.length);
	});
});

describe('chats with servers that look like others', () => {
	let sim: LlamaServerSim;
	beforeEach(() => forgetServerKinds());
	async function ask(parameters: ChatParameters): Promise<Record<string, unknown>> {
		const [{ id }] = sim.models as [{ id: string }];
		const connection = connectTo({ baseUrl: sim.url });
		const client = new ChatClient(connection, { ...PLAIN_SETTINGS, model: id, parameters });
		const pieces = client.generate({ messages: [{ type: 'human', content: 'Hi' }] });
		for (;;) {
			const piece = await pieces.next();
			if (piece.done) {
				expect(piece.value.notes).toEqual([]);
				break;
			}
		}
		const { body } = sim.requests.findLast(({ path }) => path.endsWith('/chat/completions'))!;
		return body as Record<string, unknown>;
	}

	const parameters: ChatParameters = {
		topK: 20,
		minP: 0.1,
		repeatPenalty: 1.1,
		chatTemplateArguments: { a: 1 },
		thinking: { mode: 'off' },
		responseFormat: { type: 'grammar', grammar: 'root ::= "a"' },
	};

	it.each<[Profile, ServerKind]>([
		['llama-swap', 'llamaSwap'],
		['localai', 'localai'],
		['lemonade', 'lemonade'],
		['koboldcpp', 'koboldcpp'],
		['lm-studio', 'lmStudio'],
		['tgi', 'tgi'],
		['litellm', 'litellm'],
	])(
		'%s keeps its samplers, grammar and template arguments, and thinking is switched off in the template',
		async (profile, kind) => {
			sim = await startServer({ profile });
			const body = await ask(parameters);
			expect(body).toMatchObject({
				top_k: 20,
				min_p: 0.1,
				repeat_penalty: 1.1,
				grammar: 'root ::= "a"',
				chat_template_kwargs: { a: 1, enable_thinking: false },
			});
			expect(body).not.toHaveProperty('reasoning_effort');
			expect(await askServerKind(connectTo({ baseUrl: sim.url }))).toBe(kind);
		},
	);

	it('llama-swap gets the same whether it was asked, named by an answer, or asked again later', async () => {
		sim = await startServer({ profile: 'llama-swap' });
		const first = await ask(parameters);
		const second = await ask(parameters);
		forgetServerKinds();
		// Its answers carry llama-server's header.
		await ask({});
		const third = await ask(parameters);
		jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 11 * 60_000);
		const fourth = await ask(parameters);
		jest.restoreAllMocks();
		expect([second, third, fourth]).toEqual([first, first, first]);
	});

	it('SGLang has vLLM’s names, and a grammar of its own', async () => {
		sim = await startServer({ profile: 'sglang' });
		expect(
			await ask({ topK: 20, repeatPenalty: 1.1, responseFormat: { type: 'grammar', grammar: 'g' } }),
		).toMatchObject({
			top_k: 20,
			repetition_penalty: 1.1,
			ebnf: 'g',
		});
	});

	it('a list that hangs costs one wait, not one for each generation', async () => {
		sim = await startServer({ profile: 'localai' });
		sim.route('GET /v1/models', reply.silence());
		await askServerKind(connectTo({ baseUrl: sim.url }), '', { limitMs: 100 });
		const asked = () => sim.requests.filter(({ path }) => path === '/v1/models').length;
		await ask(parameters);
		await ask(parameters);
		expect(asked()).toBe(1);
	});
});
