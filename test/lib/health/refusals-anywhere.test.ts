/** Servers' errors, from their documentation and issues: the same meaning at every place. */
import { ChatClient } from '../../../lib/chat/client';
import { ServerError } from '../../../lib/errors/server-error';
import { readToEnd } from '../../../lib/generators';
import { checkServer } from '../../../lib/health/check';
import { testSpeed } from '../../../lib/health/speed/speed-test';
import { withToolTest } from '../../../lib/health/tools/tool-test';
import { connectTo } from '../../../lib/servers/connect';
import { changeModel } from '../../../lib/servers/manage/model-work';
import { listModels } from '../../../lib/servers/model-list';
import { modelServerTarget } from '../../../nodes/shared/health/target';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';

// A server that loads its model is asked again until the limit.
jest.mock('../../../lib/http/waiting', () =>
	jest.requireActual<object>('../../support/skipped-pauses'),
);

const startServer = useSimulator(startLlamaServerSim);
/** Nothing here waits for a limit. */
const NEVER_MS = 600_000;
const LIMITS = { firstTokenMs: NEVER_MS, idleMs: NEVER_MS, totalMs: NEVER_MS };
const target = (server: LlamaServerSim) => modelServerTarget({ baseUrl: server.url });
const connection = (server: LlamaServerSim) => connectTo({ baseUrl: server.url });
const failure = (error: unknown) => {
	if (!(error instanceof ServerError)) throw error;
	return `${error.kind}: ${error.message} ${error.serverText ?? ''}`;
};

type Way = (server: LlamaServerSim) => Promise<string>;
const CHAT = 'POST /v1/chat/completions';
const MODELS = 'GET /v1/models';

const ways = {
	async check(server) {
		const { status, findings } = await checkServer(target(server), { timeLimitMs: NEVER_MS });
		return `${status} ${findings[0]?.id}: ${findings[0]?.observed}`;
	},
	async needed(server) {
		const expectations = { model: 'QWEN3' };
		const { status, findings } = await checkServer(target(server), {
			timeLimitMs: NEVER_MS,
			expectations,
		});
		return `${status} ${findings.map(({ id }) => id).join()}`;
	},
	async speed(server) {
		const options = {
			model: '',
			tokens: 8,
			atOnce: 1,
			...LIMITS,
			check: { timeLimitMs: NEVER_MS },
		};
		const { status, findings } = await testSpeed(target(server), options);
		return `${status} ${findings[0]?.id}: ${findings[0]?.observed}`;
	},
	async tools(server) {
		const health = await checkServer(target(server), { timeLimitMs: NEVER_MS });
		const options = {
			models: 'one',
			model: '',
			tries: 1,
			tokens: 100,
			limitMs: NEVER_MS,
		} as const;
		const { status, findings } = await withToolTest(target(server), health, options);
		return `${status} ${findings[0]?.id}: ${findings[0]?.observed}`;
	},
	async list(server) {
		return await listModels(connection(server)).then(
			(models) => models.map(({ id }) => id).join(),
			failure,
		);
	},
	async chat(server) {
		const client = new ChatClient(connection(server), {
			model: 'sim-model',
			parameters: {},
			reasoningEcho: 'toolTurns',
			showThinking: false,
			limits: LIMITS,
			retries: 0,
		});
		const answer = readToEnd(client.generate({ messages: [{ type: 'human', content: 'Hi' }] }));
		return await answer.then(
			({ text, finishReason, notes }) => `${text} ${finishReason} ${notes.join()}`,
			failure,
		);
	},
	async load(server) {
		const options = { model: 'qwen3', wait: true, limitMs: NEVER_MS, pauseMs: 1 };
		return await changeModel(connection(server), 'load', options).then(
			({ state }) => state,
			failure,
		);
	},
} satisfies Record<string, Way>;

const chunk = (finish_reason: unknown, delta: object = { content: 'Hello' }) =>
	reply.sse(
		`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\ndata: [DONE]\n\n`,
	);
const error = (message: string, more: object = {}) => ({ error: { message, ...more } });

const CASES: Array<
	[keyof typeof ways, string, SimOptions, string, ReturnType<typeof reply.json>, RegExp]
> = [
	[
		'check',
		'llama.cpp loading in a 200',
		{},
		MODELS,
		reply.json(error('Loading model', { code: 503, type: 'unavailable_error' })),
		/^loading loading: .*Loading model/,
	],
	[
		'check',
		'a wrong key in a 200',
		{},
		MODELS,
		reply.json(error('Invalid proxy server token passed', { type: 'auth_error', code: '401' })),
		/^unauthorized unauthorized/,
	],
	[
		'check',
		'vLLM dead engine in a 200',
		{},
		MODELS,
		reply.json({
			object: 'error',
			message: 'EngineDeadError',
			type: 'InternalServerError',
			code: 500,
		}),
		/^degraded serverError: .*EngineDeadError/,
	],
	[
		'check',
		'LM Studio unknown route',
		{},
		MODELS,
		reply.json({ error: 'Unexpected endpoint or method. (GET /v1/models). Returning 200 anyway' }),
		/wrongPath: .*Unexpected endpoint/,
	],
	[
		'check',
		'a budget in a 200',
		{},
		MODELS,
		reply.json(error('Budget has been exceeded', { type: 'budget_exceeded', code: 429 })),
		/^misconfigured budgetSpent/,
	],
	[
		'check',
		'new-api refuses',
		{},
		MODELS,
		reply.json({ success: false, message: 'No permission', code: 403 }),
		/^unauthorized/,
	],
	[
		'check',
		'an empty list beside an error',
		{},
		MODELS,
		reply.json({ object: 'list', data: [], error: { code: 503, message: 'Loading model' } }),
		/^loading/,
	],
	[
		'check',
		'a list with error null',
		{},
		MODELS,
		reply.json({ object: 'list', data: [{ id: 'm', owned_by: 'vllm' }], error: null }),
		/^healthy/,
	],
	['check', 'an empty body', {}, MODELS, reply.error(200, ''), /^(?!healthy)/],
	['check', '204', {}, MODELS, reply.json('', { status: 204 }), /^(?!healthy)/],
	[
		'needed',
		'a name in capitals on Ollama',
		{ profile: 'ollama', models: [{ id: 'qwen3:latest' }] },
		'',
		reply.json({}),
		/^(?!misconfigured)(?!.*modelMissing)/,
	],
	[
		'needed',
		'a name in capitals on vLLM',
		{ profile: 'vllm', models: [{ id: 'qwen3' }] },
		'',
		reply.json({}),
		/modelMissing|otherModel/,
	],
	[
		'list',
		'loading in a 200',
		{},
		MODELS,
		reply.json(error('Loading model', { code: 503 })),
		/^loading/,
	],
	[
		'list',
		'a key in a 200',
		{},
		MODELS,
		reply.json(error('Invalid API Key', { code: 401 })),
		/^unauthorized/,
	],
	[
		'list',
		'a text as error',
		{},
		MODELS,
		reply.json({ error: 'model runner has unexpectedly stopped' }),
		/^serverError: .*unexpectedly stopped/,
	],
	[
		'load',
		'a router refuses in a 200',
		{ profile: 'router', models: [{ id: 'qwen3' }] },
		'POST /models/load',
		reply.json(error('model is not found', { code: 404 })),
		/not found/,
	],
	[
		'tools',
		'Ollama without tools',
		{},
		CHAT,
		reply.json(error('registry.ollama.ai/library/gemma:2b does not support tools'), {
			status: 400,
		}),
		/^misconfigured toolsUnsupported: .*does not support tools/,
	],
	[
		'tools',
		'vLLM without a parser',
		{},
		CHAT,
		reply.json(
			{
				object: 'error',
				message:
					'"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
				code: 400,
			},
			{ status: 400 },
		),
		/^misconfigured toolsUnsupported/,
	],
	[
		'tools',
		'a key for the list only',
		{},
		CHAT,
		reply.json(error('Incorrect API key'), { status: 401 }),
		/^unauthorized unauthorized: .*Incorrect/,
	],
	[
		'tools',
		'LiteLLM budget',
		{},
		CHAT,
		reply.json(error('ExceededBudget: User over budget', { type: 'budget_exceeded' }), {
			status: 400,
		}),
		/^misconfigured .*over budget/,
	],
	[
		'tools',
		'out of memory',
		{},
		CHAT,
		reply.json(error('CUDA out of memory. Tried to allocate 2 GiB'), { status: 500 }),
		/^degraded serverError: .*out of memory/,
	],
	[
		'tools',
		'a refusal as the first event',
		{},
		CHAT,
		reply.sse(`data: ${JSON.stringify(error('Loading model', { code: 503 }))}\n\n`),
		/^loading loading/,
	],
	[
		'tools',
		'a refusal with status 200',
		{},
		CHAT,
		reply.json(error('Invalid API Key', { code: 401 })),
		/^unauthorized unauthorized/,
	],
	[
		'tools',
		'a gateway page',
		{},
		CHAT,
		reply.html(502, '<html><h1>502 Bad Gateway</h1></html>'),
		/^unreachable gateway/,
	],
	[
		'speed',
		'a refusal with status 200',
		{},
		CHAT,
		reply.json(error('Invalid API Key', { code: 401 })),
		/^unauthorized unauthorized/,
	],
	[
		'speed',
		'a refusal as the first event',
		{},
		CHAT,
		reply.sse(`data: ${JSON.stringify(error('Loading model', { code: 503 }))}\n\n`),
		/^loading loading/,
	],
	[
		'speed',
		'no chat template',
		{},
		CHAT,
		reply.json(
			{ object: 'error', message: 'The model does not support Chat Completions API', code: 400 },
			{ status: 400 },
		),
		/^misconfigured wrongModelType/,
	],
	[
		'chat',
		'Gemini through LiteLLM',
		{},
		CHAT,
		chunk('MALFORMED_FUNCTION_CALL', {}),
		/^toolCallInvalid: .*tool.*malformed_function_call/,
	],
	['chat', 'OpenRouter', {}, CHAT, chunk('error', {}), /^streamError/],
	['chat', 'Gemini blocks', {}, CHAT, chunk('PROHIBITED_CONTENT'), /^filtered/],
	['chat', 'an object as reason', {}, CHAT, chunk({ code: 7 }), /^Hello .*may not be complete/],
	['chat', 'an object with a type', {}, CHAT, chunk({ type: 'stop' }), /^Hello stop $/],
	['chat', 'a number as reason', {}, CHAT, chunk(2), /^Hello 2 .*may not be complete/],
	[
		'chat',
		'a list as reason',
		{},
		CHAT,
		chunk(['length']),
		/^Hello .*(?:cut off|may not be complete)/,
	],
	[
		'chat',
		'the reason false in the last chunk',
		{},
		CHAT,
		chunk(false),
		/^(?:streamEndedEarly|Hello unknown)/,
	],
];

it.each(CASES)('%s: %s', async (way, _what, options, route, answer, expected) => {
	const server = await startServer(options);
	if (route !== '') server.route(route, answer);
	expect(await ways[way](server)).toMatch(expected);
});
