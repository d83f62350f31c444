/** Histories of many forms: the messages that are made of them, as two APIs get them, and in their strict forms. */
import path from 'node:path';
import { toOllamaBody } from '../../../../lib/chat/body/ollama-body';
import { toOpenAiBody } from '../../../../lib/chat/body/openai-body';
import { toStrictRoles } from '../../../../lib/chat/body/strict-roles';
import type { InputMessage, InputToolCall } from '../../../../lib/chat/input-message';
import { prepareMessages } from '../../../../lib/chat/prepare/prepare-messages';
import type { ChatSettings } from '../../../../lib/chat/settings';
import { llamaServer } from '../../../../lib/servers/types/llama-server';
import type { JsonRecord } from '../../../../lib/values/records';
import { asRecords } from '../../../../lib/values/records';
import { expectApproved } from '../../../support/approved/approved-table';
import type { ApprovedRow } from '../../../support/approved/approved-table';
import { PLAIN_SETTINGS } from '../chat-settings';
import { describeError } from '../../../support/approved/outcome';
import { toInput } from '../../../support/texts/messages';

const system = (content: unknown): InputMessage => toInput({ type: 'system', content });
const human = (content: unknown, more: Partial<InputMessage> = {}): InputMessage => ({
	...toInput({ type: 'human', content }),
	...more,
});
const ai = (
	content: unknown,
	toolCalls: InputToolCall[] = [],
	more: Partial<InputMessage> = {},
): InputMessage => ({ ...toInput({ type: 'ai', content, toolCalls }), ...more });
const call = (id: string | undefined, args: JsonRecord = { at: id }): InputToolCall => ({
	id,
	name: 'look',
	args,
});
const result = (toolCallId: string, content: unknown = `result ${toolCallId}`): InputMessage =>
	toInput({ type: 'tool', toolCallId, content });

/** A picture of one point. */
const PICTURE = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
const image = { type: 'image_url', image_url: { url: PICTURE } };
const file = { type: 'text', text: 'File: a.txt\nContent:\nIn the file' };
const thinking = { reasoning: 'Hm' };

/** Our IDs of two calls of one response, and one of another. */
const FIRST = 'n8naaaaaaaaa0_x';
const SECOND = 'n8naaaaaaaaa1_y';
const OTHER = 'n8nbbbbbbbbb0_x';

const HISTORIES: Readonly<Record<string, readonly InputMessage[]>> = {
	'a question': [human('Hi')],
	'a system message and a question': [system('Be kind'), human('Hi')],
	'two system messages': [system('Be kind'), system('Be short'), human('Hi')],
	'a later system message': [human('Hi'), ai('Hello'), system('Be short'), human('You?')],
	'a system message at the end': [human('Hi'), system('Be short')],
	'only a system message': [system('Be kind')],
	'two questions': [human('Hi'), human('You?')],
	'a question and a file': [human('Read'), human([file])],
	'a file and a question': [human([file]), human('Read')],
	'a question and a picture': [human('See'), human([image])],
	'a picture and a question': [human([image]), human('See')],
	'text and a picture in one message': [human([{ type: 'text', text: 'See' }, image])],
	'two texts around a picture': [human(['A', image, 'B', 'C'])],
	'files beside the content': [human('See', { files: [{ type: 'image', url: PICTURE }] })],
	'two pictures': [human([image]), human([image])],
	'an answer': [human('Hi'), ai('Hello'), human('You?')],
	'an empty answer': [human('Hi'), ai(''), human('You?')],
	'an answer in blocks': [
		human('Hi'),
		ai([
			{ type: 'text', text: 'A' },
			{ type: 'text', text: 'B' },
		]),
	],
	'an answer with thinking': [human('Hi'), ai('Hello', [], thinking), human('You?')],
	'thinking in tags': [human('Hi'), ai('<think>Hm</think>Hello'), human('You?')],
	'thinking in blocks': [
		human('Hi'),
		ai([
			{ type: 'thinking', thinking: 'Hm' },
			{ type: 'text', text: 'A' },
		]),
		human('You?'),
	],
	'a call and its result': [human('Hi'), ai('', [call('1')]), result('1')],
	'a call with text and thinking': [human('Hi'), ai('I look', [call('1')], thinking), result('1')],
	'a call of an earlier question': [
		human('Hi'),
		ai('', [call('1')], thinking),
		result('1'),
		ai('It is so'),
		human('You?'),
	],
	'two calls in one message': [
		human('Hi'),
		ai('I look', [call('1'), call('2')]),
		result('2'),
		result('1'),
	],
	'two calls of one response, apart': [
		human('Hi'),
		ai('', [call(FIRST)]),
		result(FIRST),
		ai('', [call(SECOND)]),
		result(SECOND),
	],
	'calls of two responses': [
		human('Hi'),
		ai('', [call(FIRST)]),
		result(FIRST),
		ai('', [call(OTHER)]),
		result(OTHER),
	],
	'two foreign calls with the same thinking': [
		human('Hi'),
		ai('', [call('1')], thinking),
		result('1'),
		ai('', [call('2')], thinking),
		result('2'),
	],
	'two foreign calls without thinking': [
		human('Hi'),
		ai('', [call('1')]),
		result('1'),
		ai('', [call('2')]),
		result('2'),
	],
	'the same ID in two responses': [
		human('Hi'),
		ai('', [call('1', { a: 1 })]),
		result('1', 'one'),
		ai('', [call('1', { a: 2 })]),
		result('1', 'two'),
	],
	'the same ID twice in a response': [
		human('Hi'),
		ai('', [call('1', { a: 1 }), call('1', { a: 2 })]),
		result('1', 'one'),
		result('1', 'two'),
	],
	'calls without IDs': [
		human('Hi'),
		ai('', [call(undefined), call(undefined)]),
		toInput({ type: 'tool', content: 'one' }),
		toInput({ type: 'tool', content: 'two' }),
	],
	'a call without a result': [human('Hi'), ai('I look', [call('1'), call('2')]), result('2')],
	'a result without a call': [human('Hi'), result('1'), ai('So')],
	'a result after the next question': [
		human('Hi'),
		ai('I look', [call('1')]),
		human('Wait'),
		result('1'),
	],
	'arguments with an ID of n8n': [
		human('Hi'),
		ai('', [{ id: '1', name: 'look', args: { at: 1, id: '1', tool: 'look' } }]),
		result('1'),
	],
	'arguments with an own ID': [
		human('Hi'),
		ai('', [{ id: '1', name: 'look', args: { at: 1, id: '2' } }]),
		result('1'),
	],
	'a picture in a result': [
		human('Hi'),
		ai('', [call('1')]),
		result('1', [{ type: 'text', text: 'Here' }, image]),
	],
	'pictures in two results': [
		human('Hi'),
		ai('', [call('1'), call('2')]),
		result('1', [image]),
		result('2', [image]),
	],
	'pictures in two results, apart': [
		human('Hi'),
		ai('', [call(FIRST)]),
		result(FIRST, [image]),
		ai('', [call(SECOND)]),
		result(SECOND, [image]),
	],
	'a picture in a result, and a question': [
		human('Hi'),
		ai('', [call('1')]),
		result('1', [image]),
		ai('Nice'),
		human('You?'),
	],
	'a result that is an object': [human('Hi'), ai('', [call('1')]), result('1', { a: 1 })],
	'text of the agent for calls': [
		human('Hi'),
		ai('Calling look with input: {"at":"1"}', [call('1')]),
		result('1'),
	],
	'a list of tools of the agent': [
		human('Hi'),
		ai('Calling tools: look, other', [call('1')]),
		result('1'),
	],
	'results in the text of the memory': [
		human('Hi'),
		ai('[Used tools: Tool: look, Input: {}, Result: [1]] It is so'),
		human('You?'),
	],
	'a call in the text': [
		human('Hi'),
		ai('<tool_call>{"name":"look","arguments":{}}</tool_call>'),
		human('You?'),
	],
	'a call in the text, and words': [
		human('Hi'),
		ai('So. <tool_call>{"name":"look","arguments":{}}</tool_call>'),
		human('You?'),
	],
	'a long result of an earlier question': [
		human('Hi'),
		ai('', [call('1')]),
		result('1', 'word '.repeat(400)),
		ai('So'),
		human('You?'),
	],
	'turn tokens': [
		system('<|im_end|>'),
		human('<|im_start|>'),
		ai('<|im_end|>', [call('1', { at: '<|im_end|>' })]),
		result('1', '<|im_end|>'),
	],
	'content that nobody reads': [human([{ type: 'hologram' }])],
};

const SETTINGS: ReadonlyArray<readonly [string, Partial<ChatSettings>, RegExp]> = [
	['', {}, /./],
	[', thinking always', { thinkingHistory: 'always' }, /thinking/],
	[', thinking never', { thinkingHistory: 'never' }, /thinking/],
	[', calls in text left', { toolCallsInText: 'leave' }, /in the text/],
	[', budget of 60', { historyBudget: 60 }, /long result|answer|earlier|later/],
	[', budget of 300', { historyBudget: 300 }, /long result/],
	[', budget of 1', { historyBudget: 1 }, /long result|answer|earlier|later/],
];

/** Pictures and long texts are shortened. */
const toShort = (value: unknown): unknown =>
	JSON.parse(
		JSON.stringify(value)
			.replaceAll(PICTURE, 'PICTURE')
			.replaceAll(PICTURE.replace(/^.*,/, ''), 'BASE64')
			.replace(/(?:word ){20,}/g, (words) => `(${String(words.length)} characters)`),
	) as unknown;

const describeHistory = (
	name: string,
	history: readonly InputMessage[],
	more: Partial<ChatSettings>,
): ApprovedRow[] => {
	try {
		const { messages, warnings } = prepareMessages(history, { ...PLAIN_SETTINGS, ...more });
		const draft = { model: 'm', messages, tools: [], sampling: {} };
		const wire = asRecords(toOpenAiBody(draft, llamaServer).messages);
		const native = asRecords(toOllamaBody(draft).messages);
		const strict = toStrictRoles(wire);
		const rows = [
			{ input: name, outcome: warnings.length > 0 ? { wire, warnings } : wire },
			{ input: `${name}: Ollama`, outcome: native },
			{ input: `${name}: strict`, outcome: strict },
			{ input: `${name}: strict, no system`, outcome: toStrictRoles(wire, false) },
			{ input: `${name}: strict Ollama`, outcome: toStrictRoles(native) },
		];
		const plain = new Set([JSON.stringify(wire), JSON.stringify(strict), JSON.stringify(native)]);
		return rows
			.filter(
				({ outcome }, at) =>
					at === 0 ||
					!plain.has(JSON.stringify(outcome)) ||
					(at === 2 && JSON.stringify(strict) !== JSON.stringify(wire)) ||
					(at === 1 && JSON.stringify(native) !== JSON.stringify(wire)),
			)
			.map(({ input, outcome }) => ({ input, outcome: toShort(outcome) }));
	} catch (error) {
		return [{ input: name, outcome: describeError(error) }];
	}
};

test('each form of a history becomes its messages', () => {
	const rows = SETTINGS.flatMap(([suffix, more, pattern]) =>
		Object.entries(HISTORIES)
			.filter(([name]) => pattern.test(name))
			.flatMap(([name, history]) => describeHistory(name + suffix, history, more)),
	);
	// Only the first form of a history with other settings: the others follow from it.
	const kept = rows.filter(({ input }) => !/, (?:thinking|calls|budget).*:/.test(input));
	expectApproved(
		path.join(__dirname, 'prepare-messages.approved.txt'),
		kept,
		'Every message of a history reaches the server once, in a form that servers accept',
	);
});
