import { forgetAll } from '../../../lib/kept';
import { reply } from '../../simulators/llama-server';
import { useChatModel } from '../../support/n8n/chat-model';

const { server, supplied, chatRequests } = useChatModel();
beforeEach(forgetAll);

const LONG = 'One thought after the other. '.repeat(100);

const OFF = /^The model thought, although thinking is off/;
const ON = /^Thinking is On, but the response contains no thinking/;
const LIMIT = /longer than Maximum Tokens \(100\)/;
const BUDGET = /^The thinking is longer than Thinking Token Budget \(5 tokens\)/;

it.each([
	['{% if not thinking is defined %}{% endif %}', { thinking: false }],
	['{% if enable_thinking %}{% endif %}', { enable_thinking: false }],
	['{{ messages }}', { enable_thinking: false }],
	[undefined, { enable_thinking: false, thinking: false }],
])('the template %j gets the arguments that it reads', async (template, expected) => {
	server().route('GET /props', reply.json({ chat_template: template }));
	const { model } = await supplied({ thinking: 'off' });
	await model.invoke('Hi');
	expect(chatRequests()[0]!.chat_template_kwargs).toEqual(expected);
});

it.each([
	{ maxTokens: 100, tokens: 116, hints: [] },
	{ maxTokens: 100, tokens: 117, hints: [/longer than Maximum Tokens \(100\)/] },
	{ maxTokens: -1, tokens: 9_000, hints: [] },
])(
	'$tokens tokens of a response that may have $maxTokens',
	async ({ maxTokens, tokens, hints }) => {
		server().route(
			'POST /v1/chat/completions',
			reply.json({
				choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }],
				usage: { prompt_tokens: 9, completion_tokens: tokens, total_tokens: 9 + tokens },
			}),
		);
		const chat = await supplied({ options: { maxTokens } });
		await chat.model.invoke('Hi');
		const warnings = chat.hints.filter(({ type }) => type !== 'info').map(({ message }) => message);
		expect(warnings).toEqual(hints.map((hint) => expect.stringMatching(hint) as string));
	},
);

describe('thinking that is not as it was set', () => {
	it.each([
		{ set: { thinking: 'off' }, thinking: 'Hm', warning: OFF },
		{ set: { thinking: 'effort', thinkingEffort: 'none' }, thinking: 'Hm', warning: OFF },
		{ set: { thinking: 'off' }, thinking: '', warning: undefined },
		{ set: { thinking: 'on' }, thinking: '', warning: ON },
		{ set: { thinking: 'on' }, thinking: 'Hm', warning: undefined },
		{ set: { thinking: 'budget', thinkingBudget: 5 }, thinking: LONG, warning: BUDGET },
		{ set: { thinking: 'budget', thinkingBudget: 5 }, thinking: 'Hm', warning: undefined },
		{ set: { thinking: 'budget', thinkingBudget: 5000 }, thinking: LONG, warning: undefined },
		{ set: { thinking: 'serverDefault' }, thinking: 'Hm', warning: undefined },
		{ set: { thinking: 'effort', thinkingEffort: 'max' }, thinking: '', warning: undefined },
	])('$set, and the model thinks "$thinking"', async ({ set, thinking, warning }) => {
		server().script(thinking ? reply.reasoning(thinking, 'Hello') : reply.text('Hello'));
		const { model, hints } = await supplied(set);
		await model.invoke('Hi');
		const warnings = hints.filter(({ type }) => type !== 'info').map(({ message }) => message);
		expect(warnings).toEqual(warning ? [expect.stringMatching(warning)] : []);
	});

	it('is not missed beside a call, or where the server rejected the setting', async () => {
		server().script(
			reply.toolCalls([{ name: 'get_time', arguments: '{}' }]),
			reply.error(400, {
				error: { message: 'chat_template_kwargs: Extra inputs are not permitted' },
			}),
			reply.text('Hello'),
		);
		const { model, hints } = await supplied({ thinking: 'on' });
		await model
			.bindTools([{ type: 'function', function: { name: 'get_time', parameters: {} } }])
			.invoke('Hi');
		await model.invoke('Hi');
		expect(JSON.stringify(hints)).not.toContain('contains no thinking');
	});
});

describe('a server that rejects a field', () => {
	const short = { message: { content: 'Hello' }, finish_reason: 'stop' };
	const long = { ...short, message: { content: 'Hello', reasoning_content: 'Hm' } };

	/** @param accepted responses to requests without the field */
	async function getHints(field: string, accepted: readonly object[]) {
		let count = 0;
		server().route('POST /v1/chat/completions', ({ body }) => {
			if (Object.hasOwn(body as object, field))
				return reply.error(400, { error: { message: `${field}: Extra inputs are not permitted` } });
			const choice = accepted[count++];
			const tokens = choice === long ? 500 : 5;
			return reply.json({ choices: [choice], usage: { completion_tokens: tokens } });
		});
		const options = { maxTokens: 100, topK: 3 };
		const { model, hints } = await supplied({ thinking: 'off', options });
		for (const _response of accepted) await model.invoke('Hi');
		return hints.map(({ message }) => message).filter((text) => /longer than|thought/.test(text));
	}

	describe.each([
		{ place: 'in this request', accepted: [long] },
		{ place: 'in an earlier one', accepted: [short, long] },
	])('$place', ({ accepted }) => {
		it.each([
			{ field: 'max_tokens', expected: [OFF] },
			{ field: 'top_k', expected: [OFF, LIMIT] },
			{ field: 'chat_template_kwargs', expected: [LIMIT] },
		])('$field: only what was sent is compared with the response', async ({ field, expected }) => {
			const hints = await getHints(field, accepted);
			expect(hints).toEqual(expected.map((hint) => expect.stringMatching(hint) as string));
		});
	});
});
