/** The chain as a whole: any part of it passes on an ordinary answer unchanged, however that was split. */
import fc from 'fast-check';

import { Chain, CHAIN, type ChainOptions } from '../../../../lib/chat/answer/chain';
import type { Chunk } from '../../../../lib/chat/answer/chunk';
import { openAiProtocol } from '../../../../lib/chat/wire/openai';
import { examples } from '../../../support/properties';

const OPTIONS: ChainOptions = {
	openingThinkTagMayBeMissing: true,
	prefill: 'Once upon a time',
	tools: [{ name: 'w', parameters: {} }],
	toolsInText: [{ name: 'w', parameters: {} }],
};

function eventsOf(texts: readonly string[], field: string): Chunk[] {
	const events = texts.map((text) => ({
		id: 'x',
		choices: [{ index: 0, delta: { [field]: text }, finish_reason: null }],
	}));
	const last = { id: 'x', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
	return [...events, last].map((event) => openAiProtocol.decode({ data: JSON.stringify(event) }));
}

function cutAt(text: string, places: readonly number[]): string[] {
	const at = [0, ...places.map((place) => place % (text.length + 1)), text.length];
	at.sort((a, b) => a - b);
	return at
		.slice(1)
		.map((end, index) => text.slice(at[index], end))
		.filter((piece) => piece !== '');
}

const words = fc
	.array(
		fc.constantFrom('The', 'sky', 'is', '{', 'a < b', '[x]', '😀', '“so”', '\n\n', '`c`', 'ha'),
		{
			minLength: 1,
			maxLength: 12,
		},
	)
	.map((all) => ['It', ...all].join(' '));

describe('any subset of the transforms, in the order of the list', () => {
	it('passes on an ordinary answer, whatever its pieces', () => {
		const subset = fc.subarray([...CHAIN.keys()]);
		const places = fc.array(fc.nat({ max: 100 }), { maxLength: 10 });
		fc.assert(
			fc.property(subset, words, words, places, (links, thinking, text, cuts) => {
				const chain = new Chain(
					links.map((index) => CHAIN[index]!),
					OPTIONS,
				);
				const chunks = [
					...eventsOf(cutAt(thinking, cuts), 'reasoning_content'),
					...eventsOf(cutAt(text, cuts), 'content'),
				];
				const out = [...chunks.flatMap((chunk) => [...chain.push(chunk)]), ...chain.end('done')];
				expect(out.map((chunk) => chunk.text ?? '').join('')).toBe(text);
				expect(out.map((chunk) => chunk.reasoning ?? '').join('')).toBe(thinking);
				expect(out.some((chunk) => chunk.finishReason === 'stop')).toBe(true);
			}),
			examples(500),
		);
	});
});
