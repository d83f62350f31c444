import { findLargestPart } from '../../../lib/chat/largest-part';
import { describeLargestPart } from '../../../lib/errors/chapters/sizes';
import type { ToolDefinition } from '../../../lib/chat/tool-definition';
import type { ChatMessage } from '../../../lib/chat/chat-message';
import { toMessage, toTool } from '../../support/texts/messages';

const system = (content: string) => toMessage({ role: 'system', content });
const user = (content: string) => toMessage({ role: 'user', content });
const model = (content: string) => toMessage({ role: 'assistant', content });
const result = (name: string, content: string) =>
	toMessage({ role: 'tool', toolCallId: 'a', name, content });
const LONG = 'word '.repeat(60_000);
const image = toMessage({
	role: 'user',
	content: [
		{ type: 'text', text: 'What is this?' },
		{ type: 'image', url: 'data:image/png;base64,aGk=' },
		{ type: 'image', url: 'data:image/png;base64,aGk=' },
	],
});
const tools = (count: number, description: string): ToolDefinition[] =>
	Array.from({ length: count }, (_none, at) =>
		toTool({ name: `tool${at}`, description, schema: { type: 'object' } }),
	);

interface Row {
	name: string;
	messages: ChatMessage[];
	tools?: ToolDefinition[];
	says: RegExp;
	not?: RegExp;
}

test.each<Row>([
	{
		name: 'a tool result of this turn',
		messages: [system('Be nice.'), user('Hi'), model(''), result('search', LONG)],
		says: /the result of the tool "search" \(300 kB\): let it return less/,
		not: /History Budget|memory/,
	},
	{
		name: 'the larger of two results',
		messages: [user('Hi'), model(''), result('a', 'short'), result('b', LONG)],
		says: /the tool "b"/,
	},
	{
		name: 'a tool result of an earlier turn',
		messages: [user('Hi'), model(''), result('search', LONG), model('Done'), user('And now?')],
		says: /the earlier conversation \(300 kB\): .*History Budget/,
	},
	{
		name: 'the system message',
		messages: [system(LONG), user('Hi')],
		says: /the system message \(300 kB\): shorten it/,
		not: /History Budget/,
	},
	{
		name: 'a conversation without a message of the user',
		messages: [system('Be nice.'), model(LONG), model('Hi')],
		says: /the earlier conversation \(300 kB\)/,
	},
	{
		name: 'the input',
		messages: [user(LONG)],
		says: /the input \(300 kB\): shorten it/,
		not: /memory/,
	},
	{
		name: 'the definitions of tools',
		messages: [user('Hi')],
		tools: tools(25, 'word '.repeat(500)),
		says: /the definitions of 25 tools \(6\d kB\): use fewer tools/,
	},
	{ name: 'files', messages: [image], says: /the 2 files: pass fewer or smaller files/ },
])(
	'the largest part of a prompt is named: $name',
	({ messages, tools: definitions = [], says, not = /^$/ }) => {
		const part = findLargestPart(messages, definitions);
		const text = part && describeLargestPart(part);
		expect(text).toMatch(says);
		expect(text).not.toMatch(not);
	},
);

test('no part decides', () => {
	const part = 'word '.repeat(100);
	expect(
		findLargestPart([system(part), user(part), model(part), user(part)], tools(1, part)),
	).toBeUndefined();
	expect(findLargestPart([], [])).toBeUndefined();
});
