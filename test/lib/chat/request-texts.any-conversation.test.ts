/** Of any conversation, a call may be quoted from the texts of users and of those whom nobody knows, in any role, and from no others. */
import fc from 'fast-check';
import type { ChatMessage } from '../../../lib/chat/chat-message';
import { getQuotableTexts } from '../../../lib/chat/request-texts';
import type { Origin } from '../../../lib/origin';

const origin = fc.constantFrom<Origin>('author', 'user', 'model', 'foreign', 'node');
const role = fc.constantFrom<ChatMessage['role']>('system', 'user', 'assistant', 'tool');
const IMAGE = { type: 'image', url: 'data:image/png;base64,AAAA' } as const;

/** A message in which each text has a name of its own. */
function toMessage(of: ChatMessage['role'], origins: readonly Origin[], at: number): ChatMessage {
	const [first = 'user'] = origins;
	const content = `<${first} ${at}>`;
	if (of === 'assistant') return { role: of, content, origin: first };
	if (of === 'tool') return { role: of, toolCallId: 'x', name: 'f', content, origin: first };
	const texts = origins.map((one, index) => ({
		type: 'text' as const,
		text: `<${one} ${at} ${index}>`,
		origin: one,
	}));
	return { role: of, content: [...texts.slice(0, 1), IMAGE, ...texts.slice(1)] };
}

test('any conversation', () => {
	const shape = fc.tuple(role, fc.array(origin, { minLength: 1, maxLength: 3 }));
	fc.assert(
		fc.property(
			fc.array(shape, { maxLength: 8 }),
			fc.array(origin, { maxLength: 3 }),
			(list, tools) => {
				const messages = list.map(([of, origins], at) => toMessage(of, origins, at));
				const definitions = tools.map((one, at) => ({
					name: `<${one} name ${at}>`,
					description: `<${one} description ${at}>`,
					schema: { [`<${one} key ${at}>`]: `<${one} value ${at}>` },
					origin: one,
				}));
				const sent = JSON.stringify([messages, definitions]).match(/<[^<>]+>/g) ?? [];
				const quotable = getQuotableTexts({ messages, tools: definitions });
				expect(quotable.join().match(/<[^<>]+>/g) ?? []).toEqual(
					sent.filter((text) => /^<(?:user|foreign)/.test(text)),
				);
				expect(quotable.length).toBeLessThanOrEqual(messages.length + definitions.length);
			},
		),
	);
});
