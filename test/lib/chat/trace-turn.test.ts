/** What the span of a turn shows of its result. */
import { toResponseAttributes } from '../../../lib/chat/trace-turn';
import type { ChatResult } from '../../../lib/chat/chat-result';

const USAGE = {
	promptTokens: 100,
	completionTokens: 20,
	totalTokens: 120,
	cachedTokens: 64,
	reasoningTokens: 5,
};
const RESULT: ChatResult = {
	text: 'Hi',
	reasoning: '',
	toolCalls: [],
	finishReason: 'stop',
	usage: USAGE,
	model: 'm',
	warnings: [],
	url: 'http://server',
	firstTokenMs: 500,
	totalMs: 1500,
};

test('a span has the time of the first token only if it is known', () => {
	expect(toResponseAttributes(RESULT, 1000)).toMatchObject({
		firstTokenAt: 1500,
		provider: 'openai_compatible',
		usage: { cachedTokens: 64 },
	});
	expect(toResponseAttributes({ ...RESULT, firstTokenMs: 0 }, 1000)).not.toHaveProperty(
		'firstTokenAt',
	);
	const usage = { ...USAGE, cachedTokens: undefined };
	const timings = { cache_n: 9 };
	expect(toResponseAttributes({ ...RESULT, usage, timings }, 0).usage?.cachedTokens).toBe(9);
});
