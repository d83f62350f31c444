/** What the passing of one answer says about speed. Pure, but for the clock that the caller reads. */
import type { Timings, Usage, WireChunk } from '../chat/types';

/** One request of a speed test; null = not known. */
export interface SpeedSample {
	firstTokenMs: number | null;
	totalMs: number;
	promptTokens: number | null;
	promptTokensPerSecond: number | null;
	generatedTokens: number | null;
	tokensPerSecond: number | null;
	/**
	 * Who measured. `server`: its own timings. `clock`: this node's, from the first piece to the last, network included.
	 * `wholeAnswer`: this node's, from sending to the end, so that reading the prompt and waiting count as well and the
	 * real speed is higher.
	 */
	measuredBy: 'server' | 'clock' | 'wholeAnswer';
}

/** Pieces that are read this soon after one another came in one packet. */
const SAME_MOMENT_MS = 0.5;
/** A stream brings one piece at a time, or a few where this machine is busy. */
const MAX_PIECES_PER_MOMENT = 4;
/** Pieces that come in bursts still tell the speed where the bursts are spread over this part of the time. */
const MIN_SPREAD = 0.2;
/**
 * The test asks for English, where a token is four characters. Fewer than this: tokens were generated that nobody was
 * shown.
 */
const MIN_CHARACTERS_PER_TOKEN = 2;

/**
 * Notes what passes by on the wire. Thinking counts as generated, and an answer that is nothing but thinking is as good
 * as any.
 */
export class SpeedRecord {
	firstMs: number | undefined;
	private lastMs = 0;
	private pieces = 0;
	private characters = 0;
	private moments = 0;
	private piecesOfFirstMoment = 0;
	private usage: Usage | undefined;
	private timings: Timings | undefined;

	/** @param atMs milliseconds since the request was sent */
	note(chunk: WireChunk, atMs: number): void {
		const text = (chunk.text ?? '') + (chunk.reasoning ?? '');
		if (text !== '') {
			if (this.firstMs === undefined || atMs - this.lastMs > SAME_MOMENT_MS) this.moments++;
			this.firstMs ??= atMs;
			this.lastMs = atMs;
			this.pieces++;
			this.characters += text.length;
			if (this.moments === 1) this.piecesOfFirstMoment = this.pieces;
		}
		this.usage = chunk.usage ?? this.usage;
		this.timings = chunk.timings ?? this.timings;
	}

	sample(totalMs: number): SpeedSample {
		const { firstMs, usage, timings } = this;
		const generatedTokens = timings?.predicted_n ?? usage?.completionTokens ?? (this.pieces > 0 ? this.pieces : null);
		const promptTokens = timings?.prompt_n ?? usage?.promptTokens ?? null;
		const own = timings?.predicted_per_second;
		const byClock = generatedTokens === null ? null : this.speedByClock(generatedTokens, totalMs);
		const overall =
			generatedTokens === null || generatedTokens === 0 || totalMs <= 0 ? null : (generatedTokens * 1000) / totalMs;
		return {
			firstTokenMs: firstMs === undefined ? null : Math.round(firstMs),
			totalMs: Math.round(totalMs),
			promptTokens,
			promptTokensPerSecond: rounded(timings?.prompt_per_second ?? this.promptSpeed(promptTokens, byClock !== null)),
			generatedTokens,
			tokensPerSecond: rounded(own ?? byClock ?? overall),
			measuredBy: own !== undefined ? 'server' : byClock === null ? 'wholeAnswer' : 'clock',
		};
	}

	/** Null where the pieces do not show how fast they were generated. */
	private speedByClock(tokens: number, totalMs: number): number | null {
		const spanMs = this.lastMs - (this.firstMs ?? 0);
		// Thinking that the server keeps to itself is in its count, but not in the time between the pieces.
		const isHidden = tokens > 2 * this.pieces && tokens * MIN_CHARACTERS_PER_TOKEN > this.characters;
		if (this.moments < 2 || isHidden) return null;
		// A proxy that collects the answer hands it on in a burst.
		const isSmooth = this.pieces <= this.moments * MAX_PIECES_PER_MOMENT;
		if (!isSmooth && spanMs < totalMs * MIN_SPREAD) return null;
		// What came at the first moment was generated before it.
		return (((tokens * (this.pieces - this.piecesOfFirstMoment)) / this.pieces) * 1000) / spanMs;
	}

	/** The time to the first piece is that of reading only where pieces come as they are generated. */
	private promptSpeed(promptTokens: number | null, isStreamed: boolean): number | null {
		const { firstMs } = this;
		return promptTokens === null || firstMs === undefined || firstMs <= 0 || !isStreamed
			? null
			: (promptTokens * 1000) / firstMs;
	}
}

export function rounded(value: number | null): number | null {
	return value === null ? null : Math.round(value * 10) / 10;
}
