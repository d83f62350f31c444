import fc from 'fast-check';
import { convertMessages } from '../../../../lib/chat/prepare/convert-messages';
import type { CallLookup } from '../../../../lib/chat/prepare/convert-messages';
import type { ThinkingHistory } from '../../../../lib/chat/settings';
import { examples } from '../../../support/jest/properties';
import { toInputs, toShort } from '../../../support/texts/messages';
import type { ShortInput, ShortMessage } from '../../../support/texts/messages';

function convert(
	source: ShortInput[],
	options: { thinkingHistory?: ThinkingHistory; getCachedCall?: CallLookup } = {},
): ShortMessage[] {
	const messages = toInputs(source);
	return toShort(
		convertMessages(messages, options.thinkingHistory ?? 'toolTurns', options.getCachedCall),
	);
}

const PNG = '89504e470d0a1a0a0000000d49484452';
const toBase64 = (at: number): string =>
	Buffer.from(`${PNG}${at.toString(16).padStart(4, '0')}`, 'hex').toString('base64');

describe('any conversation', () => {
	const ids = fc.constantFrom(
		'a',
		'b',
		'c',
		'0',
		'n8n1111111110_a',
		'n8n1111111110_b',
		'n8n2222222220_a',
	);
	const reasoning = fc.constantFrom(undefined, '', 'Hm', 'Ah');
	const content = fc.constantFrom<unknown>(
		'',
		'text',
		[],
		'<think>t</think>x',
		[{ type: 'text', text: 'block' }],
		[{ type: 'thinking', thinking: 'b' }],
	);
	const calls = fc.array(
		fc.record({
			id: ids,
			name: fc.constantFrom('f', 'g'),
			args: fc.constantFrom<Record<string, unknown>>({}, { id: 'a' }, { x: 1, id: 'b' }),
		}),
		{ maxLength: 3 },
	);
	const result = fc.record({
		type: fc.constant('tool' as const),
		toolCallId: ids,
		content: fc.constantFrom('r1', 'r2'),
	});
	const message: fc.Arbitrary<ShortInput> = fc.oneof(
		fc.record({ type: fc.constant('human' as const), content: fc.constantFrom('q1', 'q2') }),
		fc.record({ type: fc.constant('system' as const), content: fc.constant('s') }),
		fc.record({
			type: fc.constant('ai' as const),
			content,
			toolCalls: calls,
			reasoning,
			invalidToolCalls: fc.constantFrom<Array<{ id: string }>>([], [{ id: 'c' }]),
		}),
		fc.record({
			type: fc.constant('ai' as const),
			content,
			toolCalls: calls.map((all) => all.slice(0, 1)),
			reasoning,
		}),
		result,
		result,
	);
	/** One response, split into a message for each call, its result behind it. */
	const splitResponse = fc.subarray(['a', 'b', 'c'], { minLength: 1 }).map((names) =>
		names.flatMap((name): ShortInput[] => {
			const id = `n8n3333333330_${name}`;
			const toolCalls = [{ id, name: 'f', args: {} }];
			return [
				{ type: 'ai', content: '', toolCalls },
				{ type: 'tool', toolCallId: id, content: 'r3' },
			];
		}),
	);
	const conversations = fc
		.array(fc.oneof({ weight: 6, arbitrary: message.map((one) => [one]) }, splitResponse), {
			maxLength: 14,
		})
		.map((parts) => parts.flat());
	const getCachedCall: CallLookup = (id) =>
		id === '0' ? undefined : { text: 'T', reasoning: 'R', name: 'f', arguments: '{}' };

	it('has each result right after its call, and a result for each call', () => {
		fc.assert(
			fc.property(conversations, fc.boolean(), (source, remembers) => {
				let open: string[] = [];
				for (const sent of convert(source, remembers ? { getCachedCall } : {})) {
					if (sent.role === 'tool') {
						expect(open[0]).toBe(sent.toolCallId);
						open.shift();
						continue;
					}
					expect(open).toEqual([]);
					open = sent.role === 'assistant' ? (sent.toolCalls ?? []).map(({ id }) => id) : [];
				}
				expect(open).toEqual([]);
			}),
			examples(1000),
		);
	});

	it('has each image of a result that is sent once, in its order', () => {
		const toImage = (at: number) => `data:image/png;base64,${toBase64(at)}`;
		fc.assert(
			fc.property(conversations, (source) => {
				const withImages = source.map((one, at): ShortInput =>
					one.type === 'tool'
						? {
								...one,
								content: [
									{ type: 'text', text: `<${at}>` },
									{ type: 'image_url', image_url: { url: toImage(at) } },
								],
							}
						: one,
				);
				const sent = convert(withImages);
				const texts = sent.flatMap(({ role, content: text }) =>
					role === 'tool'
						? Array.from(String(text).matchAll(/<(\d+)>/g), ([, at]) => Number(at))
						: [],
				);
				const images = JSON.stringify(sent).match(/data:image\/png;base64,[\w+/=]+/g) ?? [];
				expect(images).toEqual(texts.map(toImage));
			}),
			examples(1000),
		);
	});

	it('is converted to the same bytes each time, and is not modified', () => {
		fc.assert(
			fc.property(conversations, (source) => {
				const before = JSON.stringify(source);
				const first = JSON.stringify(convert(source, { getCachedCall }));
				expect(JSON.stringify(convert(structuredClone(source), { getCachedCall }))).toBe(first);
				expect(JSON.stringify(source)).toBe(before);
			}),
		);
	});

	it('begins with the bytes of its earlier part, up to each question', () => {
		fc.assert(
			fc.property(conversations, conversations, (earlier, later) => {
				// Up to a question nothing depends on what follows, apart from the thinking of the running turn.
				const options = { thinkingHistory: 'never' as const, getCachedCall };
				const question = { type: 'human' as const, content: 'q' };
				const short = convert([...earlier, question], options);
				const long = convert([...earlier, question, ...later], options);
				expect(long.slice(0, short.length)).toEqual(short);
			}),
		);
	});

	it('does not change when it is converted again', () => {
		const toInput = (sent: ShortMessage): ShortInput => {
			switch (sent.role) {
				case 'assistant':
					return {
						type: 'ai',
						content: sent.content,
						toolCalls: sent.toolCalls?.map(({ id, name, arguments: args }) => ({
							id,
							name,
							args: JSON.parse(args) as Record<string, unknown>,
						})),
						reasoning: sent.reasoning,
					};
				case 'tool':
					return { type: 'tool', toolCallId: sent.toolCallId, content: sent.content };
				default:
					return { type: sent.role === 'system' ? 'system' : 'human', content: sent.content };
			}
		};
		fc.assert(
			fc.property(conversations, (source) => {
				// The IDs sent to the server no longer show which calls belong to one response.
				fc.pre(!JSON.stringify(source).includes('n8n'));
				const converted = convert(source, { thinkingHistory: 'always' });
				expect(convert(converted.map(toInput), { thinkingHistory: 'always' })).toEqual(converted);
			}),
			examples(500),
		);
	});
});
