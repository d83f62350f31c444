import fc from 'fast-check';

import { SpeedRecord } from '../../../../lib/health/speed/sample';
import { examples } from '../../../support/properties';

/** A record of pieces at these times, with the server's count at the end. */
function recordOf(
	times: readonly number[],
	tokens: number,
	text = 'four',
	more: object = {},
): SpeedRecord {
	const record = new SpeedRecord();
	for (const at of times) record.note({ text }, at);
	const usage = { promptTokens: 250, completionTokens: tokens, totalTokens: 250 + tokens };
	record.note({ usage, ...more }, (times.at(-1) ?? 0) + 1);
	return record;
}

const every = (count: number, ms: number, from = 1_000) =>
	Array.from({ length: count }, (_, at) => from + at * ms);

describe('the speed of an answer', () => {
	it('piece by piece: from the first to the last, without what came first', () => {
		expect(recordOf(every(101, 50), 101).sample(6_100)).toEqual({
			firstTokenMs: 1_000,
			firstTokenBy: 'clock',
			firstTextMs: null,
			totalMs: 6_100,
			queuedMs: 0,
			arrival: 'streamed',
			promptTokens: 250,
			promptTokensPerSecond: 250,
			generatedTokens: 101,
			hiddenTokens: 0,
			acceptedDrafts: null,
			tokensPerSecond: 20,
			measuredBy: 'clock',
		});
	});

	it.each([
		[{ draft_n: 40, draft_n_accepted: 31 }, 0.775],
		[{ draft_n: 40 }, 0],
		[{ draft_n: 0, draft_n_accepted: 0 }, null],
		[{}, null],
	])('the share of accepted drafts of %j', (timings, share) => {
		const record = recordOf(every(10, 50), 10, 'four', { timings });
		expect(record.sample(2_000).acceptedDrafts).toBe(share);
	});

	it('the server’s own timings count before every clock', () => {
		const timings = {
			predicted_n: 100,
			predicted_per_second: 42.17,
			prompt_n: 200,
			prompt_per_second: 900.04,
		};
		expect(recordOf([5_000, 5_000.1], 100, 'x', { timings }).sample(5_001)).toMatchObject({
			tokensPerSecond: 42.2,
			promptTokensPerSecond: 900,
			promptTokens: 200,
			measuredBy: 'server',
		});
	});

	it('20 tokens/s collected by a proxy to the end are no 128,233 tokens/s (nginx with proxy_buffering on)', () => {
		expect(recordOf(every(128, 0.0078, 6_900), 128).sample(6_901)).toMatchObject({
			tokensPerSecond: 18.5,
			promptTokensPerSecond: null,
			measuredBy: 'wholeAnswer',
		});
	});

	it('the same with a few packets at the end, and a pause of this machine between them', () => {
		const times = [every(60, 0.02, 6_800), every(40, 0.02, 6_803), every(28, 0.02, 6_811)].flat();
		expect(recordOf(times, 128).sample(6_900)).toMatchObject({
			tokensPerSecond: 18.6,
			measuredBy: 'wholeAnswer',
		});
	});

	it('a proxy that hands on 4 KB at a time: bursts spread over the time tell the speed', () => {
		const times = [0, 1, 2, 3, 4, 5].flatMap((burst) => every(20, 0.01, 1_000 + burst * 1_000));
		const { tokensPerSecond, measuredBy } = recordOf(times, 120).sample(6_100);
		expect(measuredBy).toBe('clock');
		expect(tokensPerSecond).toBeCloseTo(20, 1);
	});

	it('thinking that is not shown, 500 tokens for 20 s, and then 20 pieces are no 418 tokens/s', () => {
		expect(recordOf(every(20, 50, 20_000), 520).sample(21_000)).toMatchObject({
			tokensPerSecond: 24.8,
			generatedTokens: 520,
			measuredBy: 'wholeAnswer',
		});
	});

	it('several tokens in one piece are not taken for hidden ones (speculative decoding)', () => {
		expect(recordOf(every(21, 100), 84, 'Four whole words here').sample(3_100)).toMatchObject({
			tokensPerSecond: 40,
			measuredBy: 'clock',
		});
	});

	it('no piece, or only one', () => {
		expect(new SpeedRecord().sample(500)).toMatchObject({
			firstTokenMs: null,
			generatedTokens: null,
			tokensPerSecond: null,
		});
		expect(recordOf([400], 8).sample(500)).toMatchObject({
			tokensPerSecond: 16,
			measuredBy: 'wholeAnswer',
		});
	});

	describe('behind a proxy that collects the answer (nginx with proxy_buffering on)', () => {
		const at = every(128, 0.0078, 6_900);

		it('without timings of the server the first token is not known', () => {
			const record = recordOf(at, 128);
			record.noteText(6_900);
			expect(record.sample(6_901)).toMatchObject({
				arrival: 'collected',
				firstTokenMs: null,
				firstTokenBy: null,
				firstTextMs: null,
				hiddenTokens: 0,
			});
		});

		it('the server’s timings tell when it was: the end minus the time of generating', () => {
			const timings = {
				predicted_n: 128,
				predicted_ms: 6_400,
				predicted_per_second: 20,
				prompt_ms: 300,
			};
			expect(recordOf(at, 128, 'four', { timings }).sample(6_901)).toMatchObject({
				arrival: 'collected',
				firstTokenMs: 501,
				firstTokenBy: 'server',
				tokensPerSecond: 20,
				measuredBy: 'server',
			});
		});

		it('a first piece that arrives with many others is late', () => {
			const times = [0, 1, 2, 3, 4, 5].flatMap((burst) => every(20, 0.01, 1_200 + burst * 1_000));
			expect(recordOf(times, 120).sample(6_300)).toMatchObject({
				arrival: 'bursts',
				firstTokenMs: null,
				promptTokensPerSecond: null,
			});
			const timings = {
				predicted_n: 120,
				predicted_ms: 6_000,
				predicted_per_second: 20,
				prompt_ms: 190,
			};
			expect(recordOf(times, 120, 'four', { timings }).sample(6_300)).toMatchObject({
				arrival: 'bursts',
				firstTokenMs: 300,
				firstTokenBy: 'server',
			});
		});

		it('many tokens in the same millisecond are a fast server', () => {
			const timings = {
				predicted_n: 64,
				predicted_ms: 12,
				predicted_per_second: 5_300,
				prompt_ms: 30,
			};
			expect(recordOf(every(64, 0.18, 40), 64, 'four', { timings }).sample(54)).toMatchObject({
				arrival: null,
				firstTokenMs: 40,
				firstTokenBy: 'clock',
			});
		});
	});

	describe('with thinking that is not shown', () => {
		const timings = {
			predicted_n: 520,
			predicted_ms: 20_600,
			predicted_per_second: 25.2,
			prompt_ms: 350,
		};

		it('the first text is not the first token; the server’s timings tell when that was', () => {
			const record = recordOf(every(20, 50, 20_000), 520, 'four', { timings });
			record.noteText(20_000);
			expect(record.sample(21_000)).toMatchObject({
				firstTokenMs: 400,
				firstTokenBy: 'server',
				firstTextMs: 20_000,
				hiddenTokens: 500,
				tokensPerSecond: 25.2,
			});
		});

		it('without timings the first token is not known', () => {
			const record = recordOf(every(20, 50, 20_000), 520);
			record.noteText(20_000);
			expect(record.sample(21_000)).toMatchObject({
				firstTokenMs: null,
				firstTextMs: 20_000,
				hiddenTokens: 500,
			});
		});

		it('its tokens are those that the server counts, where it does', () => {
			const record = recordOf(every(20, 50, 20_000), 520, 'four', {
				usage: { promptTokens: 250, completionTokens: 520, totalTokens: 770, reasoningTokens: 497 },
			});
			expect(record.sample(21_000).hiddenTokens).toBe(497);
		});

		it('all of it, so that nothing came', () => {
			const record = recordOf([], 64, '', { timings });
			expect(record.sample(21_000)).toMatchObject({
				arrival: null,
				firstTokenMs: 400,
				firstTextMs: null,
				generatedTokens: 520,
				hiddenTokens: 520,
			});
		});

		it('thinking that is shown counts as the first token, and text comes later', () => {
			const record = new SpeedRecord();
			for (const at of every(50, 20)) record.note({ reasoning: 'well' }, at);
			for (const at of every(10, 20, 2_000)) record.note({ text: 'four' }, at);
			record.noteText(2_000);
			record.note(
				{
					usage: { promptTokens: 250, completionTokens: 60, totalTokens: 310, reasoningTokens: 50 },
				},
				2_200,
			);
			expect(record.sample(2_210)).toMatchObject({
				firstTokenMs: 1_000,
				firstTextMs: 2_000,
				hiddenTokens: 0,
				arrival: 'streamed',
				measuredBy: 'clock',
			});
		});
	});

	it('is a number for every rhythm of pieces, and tokens by time where the rhythm says nothing', () => {
		fc.assert(
			fc.property(
				fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { minLength: 1, maxLength: 200 }),
				fc.integer({ min: 1, max: 4_000 }),
				(gaps, tokens) => {
					let at = 100;
					const times = gaps.map((gap) => (at += gap));
					const { tokensPerSecond, measuredBy, firstTokenMs, arrival } = recordOf(
						times,
						tokens,
					).sample(at + 10);
					if (arrival === 'collected') expect(firstTokenMs).toBeNull();
					if (firstTokenMs !== null) expect(firstTokenMs).toBeLessThanOrEqual(at + 10);
					expect(Number.isFinite(tokensPerSecond)).toBe(true);
					expect(tokensPerSecond).toBeGreaterThanOrEqual(0);
					if (measuredBy === 'wholeAnswer')
						expect(tokensPerSecond).toBeCloseTo((tokens * 1_000) / (at + 10), 0);
				},
			),
			examples(200),
		);
	});
});

it('the speed of a single token is not what llama-server says of it', () => {
	const timings = { predicted_n: 1, predicted_ms: 0.001, predicted_per_second: 1_000_000 };
	const record = new SpeedRecord();
	record.note({ text: 'Hello', timings }, 50);
	expect(record.sample(100)).toMatchObject({ tokensPerSecond: 10, measuredBy: 'wholeAnswer' });
});

it('a count of zero says nothing where pieces came', () => {
	const record = recordOf(every(30, 50), 0, 'four', {
		timings: { predicted_n: 0, predicted_ms: 0 },
	});
	expect(record.sample(3_000)).toMatchObject({ generatedTokens: 30, tokensPerSecond: 20 });
});
