import type { HostClasses } from '../../../lib/langchain/host';
import { hearsTokens, textMessageMaker } from '../../../lib/langchain/text-chunks';
import { fromRoot } from '../../support/chat-model';

const { AIMessageChunk } = fromRoot('@langchain/core/messages') as typeof import('@langchain/core/messages');
type AIMessageChunk = InstanceType<typeof AIMessageChunk>;

type MessageClass = HostClasses['AIMessageChunk'];
const asHost = (one: unknown) => one as MessageClass;

describe('chunks of text', () => {
	const make = textMessageMaker(asHost(AIMessageChunk)) as (text: string) => AIMessageChunk;

	test('are what the constructor makes', () => {
		const [own, theirs] = [make('text'), new AIMessageChunk({ content: 'text' })];
		expect(Object.getPrototypeOf(own)).toBe(AIMessageChunk.prototype);
		expect(Object.keys(own)).toEqual(Object.keys(theirs));
		expect(own).toEqual(theirs);
		expect(JSON.stringify(own)).toBe(JSON.stringify(theirs));
		expect(AIMessageChunk.isInstance(own)).toBe(true);
		expect([own.text, own.getType(), own.toDict()]).toEqual([theirs.text, theirs.getType(), theirs.toDict()]);
	});

	test('share nothing that LangChain writes to', () => {
		const [first, second] = [make('a'), make('b')];
		first._updateId('run-1');
		first.response_metadata.finish_reason = 'stop';
		first.additional_kwargs.reasoning_content = 'hm';
		first.tool_calls!.push({ name: 'tool', args: {} });
		expect(second).toEqual(new AIMessageChunk({ content: 'b' }));
		expect(make('c')).toEqual(new AIMessageChunk({ content: 'c' }));
	});

	test('join to one message', () => {
		const last = new AIMessageChunk({
			content: '',
			tool_call_chunks: [{ type: 'tool_call_chunk', index: 0, id: '1', name: 'tool', args: '{}' }],
			usage_metadata: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
		});
		expect(make('a').concat(make('b')).concat(last)).toEqual(
			new AIMessageChunk({ content: 'a' }).concat(new AIMessageChunk({ content: 'b' })).concat(last),
		);
	});

	test('the constructor is used where a copy would be another message', () => {
		class Private extends AIMessageChunk {
			#secret = 'inside';
			override concat(other: AIMessageChunk): this {
				const content = `${String(this.content)}${String(other.content)}${this.#secret.slice(6)}`;
				return new Private({ content }) as this;
			}
		}
		const made = textMessageMaker(asHost(Private))('a') as unknown as Private;
		expect(made.concat(new Private({ content: 'b' })).content).toBe('ab');
	});
});

test('tokens are told only to callbacks that take them', () => {
	const handleLLMNewToken = async () => {};
	const told = (handlers?: unknown) => hearsTokens({ handleLLMNewToken, handlers });
	expect(told([{ handleLLMEnd: () => {} }])).toBe(false);
	expect(told([])).toBe(false);
	expect(told([{ handleLLMEnd: () => {} }, { handleLLMNewToken }])).toBe(true);
	// A host that does not show its callbacks.
	expect(told()).toBe(true);
});
