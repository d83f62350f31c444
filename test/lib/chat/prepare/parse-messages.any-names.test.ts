/** Any conversation means the same under each of the names that OpenAI, llama-server, vLLM and Ollama have for its fields. */
import fc from 'fast-check';
import { MESSAGE_TYPES } from '../../../../lib/chat/input-message';
import { toMessageParts } from '../../../../lib/langchain/message-parts';
import { parseMessages } from '../../../../lib/chat/prepare/parse-messages';

const NAMES = {
	role: ['role', 'type'],
	name: ['tool_name', 'name'],
	reasoning: ['reasoning_content', 'reasoning', 'thinking'],
} as const;

const ORIGINS = { system: 'user', human: 'user', ai: 'model', tool: 'foreign' } as const;

const nameOf = (field: keyof typeof NAMES): fc.Arbitrary<string> =>
	fc.constantFrom(...NAMES[field]);
const word = fc.constantFrom('a', 'b', '0');

/** A call, as an object or in OpenAI's wrapper, its arguments as an object or as text. */
const call = fc
	.record({ id: fc.option(word, { nil: undefined }), name: word, value: word })
	.chain(({ id, name, value }) =>
		fc.record({ isWrapped: fc.boolean(), isText: fc.boolean() }).map(({ isWrapped, isText }) => {
			const args = { value };
			const own = { name, arguments: isText ? JSON.stringify(args) : args };
			return {
				written: isWrapped ? { id, type: 'function', function: own } : { id, ...own },
				expected: { id, name, args },
			};
		}),
	);

const message = fc
	.record({
		role: fc.constantFrom(...([...MESSAGE_TYPES.keys()] as string[])),
		roleName: nameOf('role'),
		content: word,
		name: fc.option(word, { nil: undefined }),
		nameName: nameOf('name'),
		reasoning: fc.option(word, { nil: undefined }),
		reasoningName: nameOf('reasoning'),
		toolCallId: fc.option(word, { nil: undefined }),
		calls: fc.array(call, { maxLength: 2 }),
	})
	.map(({ role, content, name, reasoning, toolCallId, calls, ...names }) => ({
		written: {
			[names.roleName]: role,
			content,
			...(name !== undefined && { [names.nameName]: name }),
			...(reasoning !== undefined && { [names.reasoningName]: reasoning }),
			...(toolCallId !== undefined && { tool_call_id: toolCallId }),
			...(calls.length > 0 && { tool_calls: calls.map(({ written }) => written) }),
		},
		expected: {
			type: MESSAGE_TYPES.get(role),
			content: toMessageParts(MESSAGE_TYPES.get(role)!, content).map(({ block }) => ({
				block,
				origin: ORIGINS[MESSAGE_TYPES.get(role)!],
			})),
			name,
			reasoning,
			toolCallId,
			toolCalls: calls.map(({ expected }) => expected),
		},
	}));

test('any conversation, as a list, an object or text', () => {
	fc.assert(
		fc.property(fc.array(message, { minLength: 1, maxLength: 3 }), fc.nat(2), (given, form) => {
			const list = given.map(({ written }) => written);
			const source = [list, { messages: list }, JSON.stringify(list)][form];
			expect(parseMessages(source, 'user')).toEqual(given.map(({ expected }) => expected));
		}),
	);
});
