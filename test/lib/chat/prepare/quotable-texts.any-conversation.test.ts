/** Of any conversation, all texts may be quoted; foreign are only those since the last question, and so are the calls that just ran. */
import fc from 'fast-check';
import type { ChatMessage } from '../../../../lib/chat/chat-message';
import { getQuotableTexts } from '../../../../lib/chat/prepare/quotable-texts';

/** Parts of a conversation, each with a text of its own, which names the kind and the place. */
type Kind = 'system' | 'user' | 'userWithFile' | 'assistant' | 'calls' | 'tool';

const toMessage = (kind: Kind, at: number): ChatMessage => {
	const content = `<${kind} ${at}>`;
	switch (kind) {
		case 'system':
		case 'user':
			return { role: kind, content };
		case 'userWithFile':
			return { role: 'user', content, fileTexts: [`<file ${at}>`] };
		case 'assistant':
			return { role: 'assistant', content };
		case 'calls': {
			const toCall = (name: string) => ({
				id: `${name}${at}`,
				name,
				arguments: JSON.stringify({ value: `<value ${name} ${at}>` }),
			});
			return { role: 'assistant', content, toolCalls: ['look', 'store'].map(toCall) };
		}
		case 'tool':
			return { role: 'tool', toolCallId: 'x', name: 'look', content };
	}
};

const kinds = fc.array(
	fc.constantFrom<Kind>('system', 'user', 'userWithFile', 'assistant', 'calls', 'tool'),
	{ maxLength: 8 },
);

test('any conversation', () => {
	fc.assert(
		fc.property(kinds, (list) => {
			const messages = list.map(toMessage);
			const tools = [{ name: 'look', description: '<description>', schema: { title: '<schema>' } }];
			const { texts, foreignTexts, pastCalls } = getQuotableTexts(messages, tools);
			const asked = list.findLastIndex((kind) => kind.startsWith('user'));
			const isLatest = (_kind: unknown, at: number) => at >= asked;
			const all = texts.join('\n');
			for (const { content } of messages) expect(all).toContain(content);
			for (const [at, kind] of list.entries())
				if (kind === 'calls')
					for (const name of ['look', 'store']) expect(all).toContain(`<value ${name} ${at}>`);
			for (const text of ['<description>', '<schema>']) expect(all).toContain(text);
			const latest = list.map((kind, at) => ({ kind, at })).filter(isLatest);
			expect(foreignTexts).toEqual(
				latest.flatMap(({ kind, at }) => {
					if (kind === 'userWithFile') return [`<file ${at}>`];
					return kind === 'tool' ? [`<tool ${at}>`] : [];
				}),
			);
			expect(pastCalls.map(({ id }) => id)).toEqual(
				latest.flatMap(({ kind, at }) => (kind === 'calls' ? [`look${at}`, `store${at}`] : [])),
			);
		}),
	);
});
