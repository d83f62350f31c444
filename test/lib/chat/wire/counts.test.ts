import fc from 'fast-check';

import {
	acceptedDrafts,
	openAiUsage,
	speedByServer,
	usageOf,
} from '../../../../lib/chat/wire/counts';

const count = fc.integer({ min: -5, max: 5 });

it('counts below zero are none, and so are those of a server that writes zeros', () => {
	fc.assert(
		fc.property(count, count, fc.boolean(), (prompt, completion, asText) => {
			const written = (tokens: number) => (asText ? String(tokens) : tokens);
			const usage = openAiUsage({
				prompt_tokens: written(prompt),
				completion_tokens: written(completion),
			});
			const [read, generated] = [Math.max(0, prompt), Math.max(0, completion)];
			if (read + generated === 0) expect(usage).toBeUndefined();
			else
				expect(usage).toMatchObject({
					promptTokens: read,
					completionTokens: generated,
					totalTokens: read + generated,
				});
		}),
	);
});

it('whatever a server counts, the sums of a run stay numbers, and never fall', () => {
	fc.assert(
		fc.property(fc.array(fc.double(), { maxLength: 5 }), (counts) => {
			let sum = 0;
			for (const one of counts) {
				const { promptTokens = 0 } = openAiUsage({ prompt_tokens: one }) ?? {};
				expect(promptTokens).toBeGreaterThanOrEqual(0);
				sum += promptTokens;
			}
			expect(Number.isFinite(sum)).toBe(true);
		}),
	);
});

it.each([
	[undefined, undefined],
	[{ predicted_n: 1, predicted_per_second: 1_000_000 }, undefined],
	[{ predicted_n: 2, predicted_per_second: 40 }, 40],
	[{ predicted_per_second: 40 }, 40],
])('the speed by the server: %j is %s', (timings, speed) => {
	expect(speedByServer(timings)).toBe(speed);
});

it.each([
	[undefined, undefined],
	[{ draft_n: 0, draft_n_accepted: 0 }, undefined],
	[{ draft_n: 40 }, 0],
	[{ draft_n: 40, draft_n_accepted: 31 }, 0.775],
])('the share of accepted drafts: %j is %s', (timings, share) => {
	expect(acceptedDrafts(timings)).toBe(share);
});

it("llama-server's timings count an answer that came without usage", () => {
	const tokens = fc.integer({ min: 1, max: 1e6 });
	fc.assert(
		fc.property(tokens, tokens, fc.option(tokens), (read, written, cached) => {
			const timings = { prompt_n: read, predicted_n: written, ...(cached && { cache_n: cached }) };
			const promptTokens = read + (cached ?? 0);
			expect(usageOf(timings)).toEqual({
				promptTokens,
				completionTokens: written,
				totalTokens: promptTokens + written,
				...(cached && { cachedTokens: cached }),
			});
		}),
	);
	expect([usageOf(), usageOf({}), usageOf({ predicted_per_second: 9 })]).toEqual([
		undefined,
		undefined,
		undefined,
	]);
});
