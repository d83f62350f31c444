import { cachedShare, remarkOnPromptCache } from '../../../../lib/chat/answer/prompt-cache';
import type { ChatMessage } from '../../../../lib/chat/types';

const timings = (cached: number, read: number) => ({
	timings: { cache_n: cached, prompt_n: read },
});

/** A conversation of the size of the measured ones: 120 characters to a message. */
function conversation(systemLength: number, rounds: number): ChatMessage[] {
	const turns = Array.from({ length: rounds }, (): ChatMessage[] => [
		{ role: 'user', content: 'u'.repeat(120) },
		{ role: 'assistant', content: 'a'.repeat(120) },
	]);
	return [
		{ role: 'system', content: 's'.repeat(systemLength) },
		...turns.flat(),
		{ role: 'user', content: 'And now?' },
	];
}
const remark = (
	messages: ChatMessage[],
	cached: number,
	read: number,
	parameters: { cacheReuse?: number; slotId?: number; cachePrompt?: boolean } = {},
) => remarkOnPromptCache({ messages, parameters }, timings(cached, read));

describe('the share of the prompt that came from the cache', () => {
	it.each([
		[timings(1736, 29), 0.98],
		[timings(0, 1997), 0],
		[
			{ usage: { promptTokens: 100, completionTokens: 1, totalTokens: 101, cachedTokens: 40 } },
			0.4,
		],
	])('%j', (answer, share) => {
		expect(cachedShare(answer)).toBeCloseTo(share, 2);
	});

	it('is not known where the server does not tell', () => {
		expect(cachedShare({})).toBeUndefined();
		expect(cachedShare({ timings: { prompt_n: 50, load_ms: 20 } })).toBeUndefined();
		expect(
			cachedShare({
				usage: { promptTokens: 0, completionTokens: 0, totalTokens: 0, cachedTokens: 0 },
			}),
		).toBeUndefined();
	});
});

describe('a remark on a small share', () => {
	it('from the second round on: changing system prompts, dates, the order of tools', () => {
		const note = remark(conversation(400, 5), 12, 1750);
		expect(note).toMatch(
			/date or time in the system prompt.*another system prompt.*tools in another order.*Cache Reuse/s,
		);
	});

	it('not for the first round', () => {
		expect(remark([{ role: 'user', content: 'x'.repeat(4000) }], 0, 1000)).toBeUndefined();
	});

	it('not for a prompt that is read in no time', () => {
		expect(remark(conversation(40, 1), 0, 90)).toBeUndefined();
	});

	it('not for what came from the cache', () => {
		expect(remark(conversation(400, 5), 1736, 29)).toBeUndefined();
	});

	it('not for a cache that the user switched off', () => {
		expect(remark(conversation(400, 5), 0, 1765, { cachePrompt: false })).toBeUndefined();
	});

	it('not for a long new result of a tool, which nobody has read before', () => {
		const messages: ChatMessage[] = [
			{ role: 'user', content: 'Read it' },
			{ role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'read', arguments: '{}' }] },
			{ role: 'tool', toolCallId: 'a', content: 'x'.repeat(20_000) },
		];
		expect(remark(messages, 40, 5000)).toBeUndefined();
	});

	it('with Cache Reuse and a head below 10 % of the prompt: -sps or the slot', () => {
		const messages = conversation(40, 6);
		expect(remark(messages, 0, 1405, { cacheReuse: 64 })).toMatch(
			/less than 10 %.*Slot ID.*-sps 0\.01/s,
		);
		expect(remark(messages, 0, 1405, { cacheReuse: 64, slotId: 0 })).not.toContain('-sps');
		expect(remark(messages, 1372, 31, { cacheReuse: 64 })).toBeUndefined();
		expect(remark(messages, 0, 1405)).not.toContain('-sps');
	});

	it('tools are part of the head', () => {
		const tools = [{ name: 'f', description: 'x'.repeat(600), parameters: {} }];
		const note = remarkOnPromptCache(
			{ messages: conversation(40, 6), tools, parameters: { cacheReuse: 64 } },
			timings(0, 1405),
		);
		expect(note).not.toContain('-sps');
	});

	it('not where the server tells no timings', () => {
		const usage = { promptTokens: 1000, completionTokens: 1, totalTokens: 1001, cachedTokens: 0 };
		expect(
			remarkOnPromptCache({ messages: conversation(400, 5), parameters: {} }, { usage }),
		).toBeUndefined();
	});
});
