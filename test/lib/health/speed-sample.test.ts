import fc from 'fast-check';

import { SpeedRecord } from '../../../lib/health/speed-sample';
import { examples } from '../../support/properties';

/** A record of pieces at these times, with the server's count at the end. */
function recordOf(times: readonly number[], tokens: number, text = 'four', more: object = {}): SpeedRecord {
	const record = new SpeedRecord();
	for (const at of times) record.note({ text }, at);
	const usage = { promptTokens: 250, completionTokens: tokens, totalTokens: 250 + tokens };
	record.note({ usage, ...more }, (times.at(-1) ?? 0) + 1);
	return record;
}

const every = (count: number, ms: number, from = 1_000) => Array.from({ length: count }, (_, at) => from + at * ms);

describe('the speed of an answer', () => {
	it('piece by piece: from the first to the last, without what came first', () => {
		expect(recordOf(every(101, 50), 101).sample(6_100)).toEqual({
			firstTokenMs: 1_000,
			totalMs: 6_100,
			promptTokens: 250,
			promptTokensPerSecond: 250,
			generatedTokens: 101,
			tokensPerSecond: 20,
			measuredBy: 'clock',
		});
	});

	it('the server’s own timings count before every clock', () => {
		const timings = { predicted_n: 100, predicted_per_second: 42.17, prompt_n: 200, prompt_per_second: 900.04 };
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
		expect(recordOf(times, 128).sample(6_900)).toMatchObject({ tokensPerSecond: 18.6, measuredBy: 'wholeAnswer' });
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

	it('nothing came, or a single piece', () => {
		expect(new SpeedRecord().sample(500)).toMatchObject({
			firstTokenMs: null,
			generatedTokens: null,
			tokensPerSecond: null,
		});
		expect(recordOf([400], 8).sample(500)).toMatchObject({ tokensPerSecond: 16, measuredBy: 'wholeAnswer' });
	});

	it('is a number for every rhythm of pieces, and tokens by time where the rhythm says nothing', () => {
		fc.assert(
			fc.property(
				fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { minLength: 1, maxLength: 200 }),
				fc.integer({ min: 1, max: 4_000 }),
				(gaps, tokens) => {
					let at = 100;
					const times = gaps.map((gap) => (at += gap));
					const { tokensPerSecond, measuredBy } = recordOf(times, tokens).sample(at + 10);
					expect(Number.isFinite(tokensPerSecond)).toBe(true);
					expect(tokensPerSecond).toBeGreaterThanOrEqual(0);
					if (measuredBy === 'wholeAnswer') expect(tokensPerSecond).toBeCloseTo((tokens * 1_000) / (at + 10), 0);
				},
			),
			examples(200),
		);
	});
});
