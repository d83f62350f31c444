import { draftRequest } from '../../../../lib/chat/request/request';
import type { ChatParameters } from '../../../../lib/chat/types';
import { openAiProtocol } from '../../../../lib/chat/wire/openai';
import { serverMessage } from '../../../../lib/errors/server-message';
import { askServerKind, identify } from '../../../../lib/servers/identify';
import { connectTo } from '../../../../lib/servers/connect';
import { KNOWN_REFUSALS, type KindName, kindOf } from '../../../../lib/servers/kinds';
import { refusedFieldsIn } from '../../../../lib/servers/refused-fields';
import type {
	ServerAnswer,
	ServerAnswers,
	IdentifyingRoute,
} from '../../../../lib/servers/kinds/answers';
import type { Workaround } from '../../../../lib/servers/kinds/chat-abilities';
import type { ServerWords } from '../../../../lib/servers/kinds/kind';
import { listModels } from '../../../../lib/servers/model-list';
import { parseJson } from '../../../../lib/json';
import { type Profile, startLlamaServerSim } from '../../../servers/llama-server';
import { useSimulator } from '../../../servers/use-simulator';
import { httpFixture } from '../../../support/streams';
import { PLAIN_SETTINGS } from '../../chat/chat-settings';

/** A recorded answer, or one with this JSON body. */
export function answer(
	from: string | object,
	status = 200,
	headers: Record<string, string> = {},
): ServerAnswer {
	if (typeof from !== 'string') return { status, headers, text: JSON.stringify(from), json: from };
	const recorded = httpFixture(`${from}.http`);
	const text = recorded.body.toString('utf8');
	return {
		status: recorded.status,
		headers: Object.fromEntries(
			recorded.headers.map(([name, value]) => [name.toLowerCase(), value]),
		),
		text,
		json: parseJson(text),
	};
}

/** A list of models in OpenAI's form. */
export const list = (...data: object[]) => ({ object: 'list', data });

/** Answers by route: names of recordings, JSON bodies, or whole answers. */
export type Answered = Partial<Record<IdentifyingRoute, string | object>>;

export function answers(given: Answered): ServerAnswers {
	return Object.fromEntries(
		Object.entries(given).map(([route, from]) => [
			route,
			typeof from === 'object' && 'headers' in from ? from : answer(from),
		]),
	) as ServerAnswers;
}

/** What the known refusals that fit a recorded answer make of the request. */
export function workaroundsFor(recording: string): Workaround[] {
	const text = serverMessage(answer(recording).text).message;
	const fitting = KNOWN_REFUSALS.filter(({ says }) =>
		says === undefined ? refusedFieldsIn(text).length > 0 : says.test(text),
	);
	return fitting.map(({ then }) => then);
}

/** One setting of each sort that servers treat differently. */
const PARAMETERS: ChatParameters = {
	temperature: 0.7,
	topK: 20,
	minP: 0.1,
	repeatPenalty: 1.1,
	maxTokens: -1,
	parallelToolCalls: false,
	thinking: { mode: 'off' },
	responseFormat: { type: 'grammar', grammar: 'root ::= "a"' },
};
const tool = (name: string) => ({ name, parameters: { type: 'object', properties: {} } });

/**
 * What of these settings, of a forced tool and of earlier thinking is in the body of a chat request, with the remarks.
 */
function chatRequestTo(kind: KindName) {
	const draft = (parameters: ChatParameters) =>
		draftRequest(
			{ ...PLAIN_SETTINGS, parameters },
			{
				messages: [],
				tools: [tool('get_time'), tool('get_weather')],
				toolChoice: { name: 'get_time' },
			},
			[{ role: 'assistant', content: 'a', reasoning: 'thought' }],
		).forServer(kind);
	const { request, notes } = draft(PARAMETERS);
	const { messages, tools, ...rest } = openAiProtocol.body(request) as Record<string, unknown> & {
		messages: object[];
		tools: Array<{ function: { name: string } }>;
	};
	const always = ['model', 'stream', 'stream_options'];
	const fields = Object.fromEntries(
		Object.entries(rest).filter(([name]) => !always.includes(name)),
	);
	const budget = draft({ thinking: { mode: 'budget', tokens: 99 } }).request;
	return {
		fields,
		tools: tools.map(({ function: { name } }) => name),
		thinkingIn: Object.keys(messages[0]!).filter((name) => !['role', 'content'].includes(name)),
		budget: openAiProtocol.body(budget).reasoning_budget_tokens,
		notes,
	};
}

/** What a server gets that takes everything, as llama-server names it. */
export const TAKES_EVERYTHING = {
	fields: {
		temperature: 0.7,
		top_k: 20,
		min_p: 0.1,
		repeat_penalty: 1.1,
		parallel_tool_calls: false,
		chat_template_kwargs: { enable_thinking: false },
		grammar: 'root ::= "a"',
		tool_choice: 'required',
	},
	tools: ['get_time'],
	thinkingIn: ['reasoning_content', 'reasoning'],
	budget: 99 as number | undefined,
	notes: [] as string[],
};

/** What a server gets of a chat request that takes vLLM's fields; each has a field of its own for a grammar. */
export const TAKES_FIELDS_OF_VLLM = {
	fields: {
		temperature: 0.7,
		top_k: 20,
		min_p: 0.1,
		repetition_penalty: 1.1,
		parallel_tool_calls: false,
		chat_template_kwargs: { enable_thinking: false },
		tool_choice: { type: 'function', function: { name: 'get_time' } },
	},
	tools: ['get_time', 'get_weather'],
	thinkingIn: ['reasoning_content'],
	budget: undefined,
};

interface KindSuite {
	/** By what it is told. */
	told: Array<[name: string, answers: Answered]>;
	/** What looks like it, and is another. */
	notTold?: Array<[name: string, answers: Answered, kind: KindName]>;
	/** The version that these answers name. */
	version?: [answers: Answered, version: string | undefined];
	chat: Record<keyof typeof TAKES_EVERYTHING, unknown>;
	/** The simulator's profile, and the kind that its refusal of a wrong key tells; undefined where it asks for none. */
	simulated?: { profile: Profile; refusal?: KindName };
	/** A part of what is to be done there. */
	advice: Partial<Record<keyof ServerWords | 'toolParser', string>>;
}

/** What gateways send of a chat request that drop every option which OpenAI's API lacks. */
export const openAiFieldsOnly = (label: string): KindSuite['chat'] => ({
	fields: { temperature: 0.7, parallel_tool_calls: false, tool_choice: 'required' },
	tools: ['get_time'],
	thinkingIn: ['reasoning_content', 'reasoning'],
	budget: undefined,
	notes: [
		`This server (${label}) ignores these options, so they were not sent: Top K, Min P, Repeat Penalty, Cache Prompt, Chat Template Arguments, GBNF Grammar`,
	],
});

/** The tests that every kind of server has. */
export function testKind(
	kind: KindName,
	{ told, notTold = [], version, chat, simulated, advice }: KindSuite,
): void {
	const traits = kindOf(kind);

	it.each(told)('is identified: %s', (_name, given) => {
		expect(identify(answers(given))).toBe(kind);
	});

	if (notTold.length > 0)
		it.each(notTold)('is not identified: %s', (_name, given, other) => {
			expect(identify(answers(given))).toBe(other);
		});

	if (version !== undefined)
		it('names its version', () => {
			expect(traits.version?.(answers(version[0]))).toBe(version[1]);
			expect(traits.version?.({})).toBeUndefined();
		});

	it('gets of a chat request what it takes', () => {
		expect(chatRequestTo(kind)).toEqual(chat);
	});

	it('has its own advice', () => {
		const { noModels, missingModel, embeddingsOff, rerankOff, moreContext } = traits.words;
		const given = {
			noModels,
			missingModel: missingModel?.('qwen3'),
			embeddingsOff,
			rerankOff,
			moreContext: moreContext(9000, 2),
			toolParser: traits.words.parseTools({ vllm: 'qwen3_coder', sglang: 'qwen3_coder' }),
		};
		expect(given).toMatchObject(
			Object.fromEntries(
				Object.entries(advice).map(([what, part]) => [
					what,
					expect.stringContaining(part) as string,
				]),
			),
		);
		expect(given.missingModel === undefined).toBe(advice.missingModel === undefined);
	});

	if (simulated === undefined) return;
	const startServer = useSimulator(startLlamaServerSim);
	const { profile, refusal } = simulated;

	it('is identified by requests, and lists its models', async () => {
		const sim = await startServer({
			profile,
			apiKey: 'needed',
			models: [{ id: 'sim-model', status: 'loaded' }],
		});
		const connection = connectTo({ baseUrl: sim.url, headers: { authorization: 'Bearer needed' } });
		expect(await askServerKind(connection)).toBe(kind);
		expect((await listModels(connection)).map(({ id }) => id)).toEqual([
			expect.stringContaining('sim-model'),
		]);
	});

	if (refusal === undefined) return;
	it(`refuses a wrong key; the refusal identifies it: ${refusal}`, async () => {
		const sim = await startServer({ profile, apiKey: 'needed' });
		const connection = connectTo({ baseUrl: sim.url, headers: { authorization: 'Bearer wrong' } });
		expect(await askServerKind(connection)).toBe(refusal);
		await expect(listModels(connection)).rejects.toMatchObject({
			message: expect.stringContaining('refuses the API key') as string,
			status: 401,
		});
	});
}
