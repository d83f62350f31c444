/**
 * Histories as n8n's agent passes them. Those of 2.41 were recorded in a running n8n; those of 3.3 are assumed from
 * its release notes, because no n8n 3 can be installed from npm.
 */
import { convertMessages } from '../../../../lib/chat/prepare/convert-messages';
import { stripAgentText } from '../../../../lib/chat/prepare/agent-text';
import { toOpenAiBody } from '../../../../lib/chat/body/openai-body';
import { toOllamaBody } from '../../../../lib/chat/body/ollama-body';
import { SERVER_TYPES } from '../../../../lib/servers/types';
import type { InputMessage } from '../../../../lib/chat/input-message';
import type { ChatMessage } from '../../../../lib/chat/chat-message';
import {
	ai,
	human,
	toN8nCallId,
	ROUNDS,
	SHAPES,
	tool,
} from '../../../support/texts/agent-histories';
import { toShort } from '../../../support/texts/messages';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../../support/measures/cpu-time';

const convert = (source: InputMessage[]) => convertMessages(source, 'toolTurns');

/** A conversation in short: text and calls of each message, by the server's IDs, which calls and results contain. */
const summarize = (messages: readonly ChatMessage[]) =>
	toShort(messages).map((message) => {
		if (message.role === 'tool') return message.content.replace('result of', 'tool');
		const calls =
			message.role === 'assistant'
				? (message.toolCalls ?? []).map(
						(call) => (JSON.parse(call.arguments) as { input: string }).input,
					)
				: [];
		return [message.role, String(message.content), ...calls]
			.filter((part) => part !== '')
			.join(' ');
	});

const bodyOf = (body: typeof toOpenAiBody, messages: ChatMessage[]) =>
	JSON.stringify(body({ model: 'm', messages, tools: [], sampling: {} }, SERVER_TYPES.other));

test.each(Object.keys(SHAPES))(
	'all rounds of a turn, from memory (shape assumed): %s: all messages are sent once, in order',
	(name) => {
		const source = [
			human('Calculate'),
			...ROUNDS.flatMap(([text, ...ids]) => SHAPES[name]!(text, ids)),
			ai('Done.'),
			human('Thanks'),
		];
		const messages = convert(source);
		expect(summarize(messages)).toEqual([
			'user Calculate',
			'assistant I will calculate both. a b',
			'tool a',
			'tool b',
			'assistant One more. c',
			'tool c',
			'assistant And the last. d',
			'tool d',
			'assistant Done.',
			'user Thanks',
		]);
		for (const form of [toOpenAiBody, toOllamaBody]) {
			const body = bodyOf(form, messages);
			for (const text of [...ROUNDS.map(([text]) => text), 'Done.', 'result of a', 'result of d'])
				expect(body.split(text)).toHaveLength(2);
			expect(body).not.toContain('n8n1');
			expect(body).not.toContain('n8n2');
		}
	},
);

test('histories of 2.41: the text that n8n writes instead of the model’s text is not sent', () => {
	const [a, b] = [toN8nCallId('a', 1), toN8nCallId('b', 1)];
	const text = 'Calling tools: Calculator, Weather';
	expect(summarize(convert([human('Both'), ai(text, a), tool(a), ai(text, b), tool(b)]))).toEqual([
		'user Both',
		'assistant a b',
		'tool a',
		'tool b',
	]);
	expect(stripAgentText(text, [])).toBe(text);
	expect(stripAgentText(`${text} now`, [{ name: 'Calculator', args: {} }])).not.toBe('');
});

describe('[Used tools: …] before a response', () => {
	const used = (rest: string) =>
		`[Used tools: Tool: list, Input: {"a":[1,[2]]}, Result: [["x"],[]]${rest.startsWith(';') ? '' : ']'}${rest}`;

	test.each([
		[used(' The list is short.'), 'The list is short.'],
		[used(''), used('')],
		[used('  \n'), used('  \n')],
		[used('; Tool: b, Input: {"q":"it’s [x"}, Result: "said"] Two.'), 'Two.'],
		['[Used tools: Tool: a, Input: {}, Result: see [1] It is.', 'It is.'],
		[
			'[Used tools: Tool: a, Input: {}, Result: broken [ Answer',
			'[Used tools: Tool: a, Input: {}, Result: broken [ Answer',
		],
		['I said [Used tools: Tool: a] before', 'I said [Used tools: Tool: a] before'],
		['[Used tools] is what it writes', '[Used tools] is what it writes'],
		['[Used tools: Tool: hammer] and nails', '[Used tools: Tool: hammer] and nails'],
	])('%j becomes %j', (text, expected) => {
		expect(stripAgentText(text, [])).toBe(expected);
	});

	test('a very long text with many brackets is processed in linear time', () => {
		const text = `[Used tools: Tool: a, Input: {}, Result: ${'[ "] '.repeat(400_000)}`;
		expect(cpuMilliseconds(() => void stripAgentText(text, []))).toBeLessThan(LINEAR_CPU_MS);
	});
});
