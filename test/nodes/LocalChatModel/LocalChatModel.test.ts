import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { useChatModel } from '../../support/n8n/chat-model';
import { getStreamingHint } from '../../../nodes/LocalChatModel/execution';
import { readTokenTotals } from '../../../lib/n8n/token-totals';
import { withTokenBudget } from '../../../nodes/LocalChatModel/generator';
import type { ChatGenerator } from '../../../lib/chat/chat-request';
import type { ChatResult } from '../../../lib/chat/chat-result';

const { supplied } = useChatModel();

describe('what n8n looks at before it takes the model', () => {
	it('is a chat model that can bind tools', async () => {
		const { model } = await supplied();
		const chatModel = model as unknown as {
			lc_namespace: string[];
			_modelType(): string;
			_llmType(): string;
			bindTools: unknown;
		};
		expect(chatModel.lc_namespace).toContain('chat_models');
		expect(chatModel._modelType()).toBe('base_chat_model');
		expect(chatModel._llmType()).toBe('local-llama');
		expect(typeof chatModel.bindTools).toBe('function');
	});

	it('its output is a language model, and its one credential must be chosen', () => {
		const { description, methods } = new LocalChatModel();
		expect(description).toMatchObject({
			inputs: [],
			outputs: ['ai_languageModel'],
			credentials: [{ name: 'localLlamaApi', required: true }],
		});
		const searched = JSON.stringify(description.properties).match(/"searchListMethod":"(\w+)"/g);
		expect(searched).toEqual(['"searchListMethod":"searchModels"']);
		expect(Object.keys(methods.listSearch)).toEqual(['searchModels']);
	});
});

/** An execution that a chat started, which responds at its end. */
const context = (change: { streaming?: boolean; responseMode?: string; executed?: unknown }) => {
	const options = change.responseMode === undefined ? {} : { responseMode: change.responseMode };
	return {
		isStreaming: () => change.streaming ?? false,
		getChatTrigger: () => ({ name: 'When "chat"', parameters: { options } }) as never,
		evaluateExpression: (expression: string) => {
			expect(expression).toBe('{{ $("When \\"chat\\"").isExecuted }}');
			return ('executed' in change ? change.executed : true) as never;
		},
	};
};

it('names the setting if a chat showed nothing for more than five seconds', () => {
	const hint = getStreamingHint(context({}), 20_400);
	expect(hint).toContain('nothing for 20 seconds');
	expect(hint).toContain('"When "chat"", set Options → Response Mode to Streaming');
	expect(getStreamingHint(context({}), 5_000)).toBeUndefined();
});

it('has the same hint whether Response Mode has its default or was set to it', () => {
	const whenSet = getStreamingHint(context({ responseMode: 'lastNode' }), 20_000);
	expect(whenSet).toBeDefined();
	expect(whenSet).toBe(getStreamingHint(context({}), 20_000));
});

it.each([
	['a chat that is streamed', { streaming: true }],
	['a trigger whose answer other nodes give', { responseMode: 'responseNodes' }],
	['an execution that another trigger started', { executed: false }],
])('has no hint for %s', (_what, change) => {
	expect(getStreamingHint(context(change), 20_000)).toBeUndefined();
});

it('has no hint if n8n does not report streaming', () => {
	const silent = context({});
	expect(getStreamingHint({ ...silent, isStreaming: undefined }, 20_000)).toBeUndefined();
	expect(getStreamingHint({ ...silent, getChatTrigger: () => null }, 20_000)).toBeUndefined();
	const failing = () => {
		throw new Error('no such node');
	};
	expect(getStreamingHint({ ...silent, evaluateExpression: failing }, 20_000)).toBeUndefined();
});

const COUNTED = { promptTokens: 5, completionTokens: 2, totalTokens: 7 };
const ANSWER = { text: 'an answer', usage: COUNTED, warnings: [] as string[] } as ChatResult;

const answers: ChatGenerator = async () => await Promise.resolve(ANSWER);

/** The context of an execution that spent so many tokens. */
const contextWith = (tokensIn: number, tokensOut: number) => {
	const totals: Record<string, string> = {
		llm_tokens_in: String(tokensIn),
		llm_tokens_out: String(tokensOut),
	};
	return { customData: { get: (key: string) => totals[key], set: () => {} } };
};

const ask = async (context: object, budget: number, source = answers) =>
	await withTokenBudget(source, budget, () => readTokenTotals(context))({ messages: [] });

test('below the budget, answers are passed on', async () => {
	expect(await ask(contextWith(900, 99), 1000)).toBe(ANSWER);
	expect(await ask({}, 1000)).toBe(ANSWER);
});

test.each([
	{ tokensIn: 900, tokensOut: 99, isSent: true },
	{ tokensIn: 900, tokensOut: 100, isSent: false },
	{ tokensIn: 900, tokensOut: 101, isSent: false },
	{ tokensIn: 999, tokensOut: 0, isSent: true },
	{ tokensIn: 1000, tokensOut: 0, isSent: false },
	{ tokensIn: 0, tokensOut: 1000, isSent: false },
])(
	'of a budget of 1,000: after $tokensIn + $tokensOut tokens, a request is sent: $isSent',
	async (row) => {
		let requests = 0;
		const count: ChatGenerator = async () => {
			requests++;
			return await Promise.resolve(ANSWER);
		};
		await ask(contextWith(row.tokensIn, row.tokensOut), 1000, count).catch(() => undefined);
		expect({ requests }).toEqual({ requests: row.isSent ? 1 : 0 });
	},
);

test('when it is spent, nothing is sent, and the error says what was spent', async () => {
	await expect(ask(contextWith(900, 150), 1000)).rejects.toMatchObject({
		type: 'invalidInput',
		message: 'The Execution Token Budget is used up: 1050 of 1000 tokens',
		facts: { tokensIn: 900, tokensOut: 150, tokenBudget: 1000 },
	});
});

test('if the server does not count tokens, a warning reports that nothing is limited', async () => {
	const uncounted = { text: 'an answer', warnings: [] as string[] } as ChatResult;
	const silent: ChatGenerator = async () => await Promise.resolve(uncounted);
	const { warnings } = await ask({}, 1000, silent);
	expect(warnings).toEqual([expect.stringContaining('does not report token counts')]);
});
