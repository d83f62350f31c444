/** Measures speed from the chunks of one answer. Pure: the caller reads the clock. */
import type { Timings, Usage, WireChunk } from '../../chat/types';
import { acceptedDrafts, speedByServer } from '../../chat/wire/counts';
import { rounded } from '../numbers';
import { MAX_PIECES_PER_MOMENT, Pieces } from './pieces';

/** One request of a speed test; null = not known. Times count from sending, without the wait in n8n's own queue. */
export interface SpeedSample {
	/** To the first generated token, thinking included. Null where neither the pieces nor the server tell. */
	firstTokenMs: number | null;
	/** Who measured it. `server`: the end of the answer minus the time that the server needed to generate it. */
	firstTokenBy: 'server' | 'clock' | null;
	/** To the first received text that is not thinking. */
	firstTextMs: number | null;
	totalMs: number;
	/** In n8n's own queue, before sending: the credential's limit was used up by others. */
	queuedMs: number;
	/**
	 * `streamed`: as it was generated. `bursts`: many pieces at a time. `collected`: all at once, by a proxy or a server
	 * that does not stream. Null where too little came to tell.
	 */
	arrival: 'streamed' | 'bursts' | 'collected' | null;
	promptTokens: number | null;
	promptTokensPerSecond: number | null;
	/** Hidden ones included. */
	generatedTokens: number | null;
	/** Tokens of thinking that were not sent: the server's count, or an estimate. */
	hiddenTokens: number;
	/** Share of the drafted tokens that the model accepted, from 0 to 1. Null where nothing is drafted. */
	acceptedDrafts: number | null;
	tokensPerSecond: number | null;
	/**
	 * Who measured. `server`: its own timings. `clock`: this node's, from the first piece to the last, network included.
	 * `wholeAnswer`: this node's, from sending to the end, so that reading the prompt and waiting count as well and the
	 * real speed is higher.
	 */
	measuredBy: 'server' | 'clock' | 'wholeAnswer';
}

/** The test asks for English, with about four characters per token. Fewer than this: there are hidden tokens. */
const MIN_CHARACTERS_PER_TOKEN = 2;
const USUAL_CHARACTERS_PER_TOKEN = 4;
/** A faster answer looks collected even where it is not. */
const MIN_JUDGED_MS = 50;
/** A first piece that is late by more than this share of its time came in a burst. */
const LATE = 0.1;

/** The first piece came later than the first token. */
const IS_HELD_BACK: ReadonlySet<SpeedSample['arrival']> = new Set(['collected', 'bursts']);

/** Records the chunks of one answer. Thinking counts as generated, also where there is nothing else. */
export class SpeedRecord {
	readonly pieces = new Pieces();
	private firstTextMs: number | undefined;
	private hasThinking = false;
	private usage: Usage | undefined;
	private timings: Timings | undefined;

	/** @param atMs milliseconds since the request was sent */
	note(chunk: WireChunk, atMs: number): void {
		const text = (chunk.text ?? '') + (chunk.reasoning ?? '');
		if (text !== '') this.pieces.note(text, atMs);
		if (chunk.reasoning) this.hasThinking = true;
		this.usage = chunk.usage ?? this.usage;
		this.timings = chunk.timings ?? this.timings;
	}

	/** Notes text that is not thinking. */
	noteText(atMs: number): void {
		this.firstTextMs ??= atMs;
	}

	/** Tokens of thinking, as far as the server counts them. */
	get reasoningTokens(): number {
		return this.usage?.reasoningTokens ?? 0;
	}

	/** Whether thinking may have been generated that is not shown: the server says so, or counts more than came. */
	get mayHideThinking(): boolean {
		return this.reasoningTokens > 0 || this.hiddenTokens(this.tokens ?? 0) > 0;
	}

	/** How many tokens were generated, shown or not. */
	get tokens(): number | null {
		return this.timings?.predicted_n || this.usage?.completionTokens || this.pieces.count || null;
	}

	sample(totalMs: number, queuedMs = 0): SpeedSample {
		const { tokens } = this;
		const count = tokens ?? 0;
		const hiddenTokens = this.hiddenTokens(count);
		const isHidden = hiddenTokens > 0;
		const speed = this.speed(tokens, totalMs, isHidden);
		const arrival = this.arrival(count, totalMs, isHidden, speed.ofGeneration);
		const first = this.firstToken(totalMs, isHidden || IS_HELD_BACK.has(arrival));
		return {
			firstTokenMs: roundedMs(first?.ms),
			firstTokenBy: first?.by ?? null,
			firstTextMs: arrival === 'collected' ? null : roundedMs(this.firstTextMs),
			totalMs: Math.round(totalMs),
			queuedMs: Math.round(queuedMs),
			arrival,
			promptTokens: this.promptTokens,
			promptTokensPerSecond: rounded(this.promptSpeed(speed.isByPieces && first?.by === 'clock')),
			generatedTokens: tokens,
			hiddenTokens,
			acceptedDrafts: acceptedDrafts(this.timings) ?? null,
			tokensPerSecond: rounded(speed.tokensPerSecond),
			measuredBy: speed.measuredBy,
		};
	}

	private get promptTokens(): number | null {
		return this.timings?.prompt_n || this.usage?.promptTokens || null;
	}

	/** The speed by the best measure there is: the server's timings, the pieces, the whole answer. */
	private speed(tokens: number | null, totalMs: number, isHidden: boolean): MeasuredSpeed {
		const byServer = speedByServer(this.timings) ?? null;
		const byPieces = tokens === null ? null : this.speedByClock(tokens, totalMs, isHidden);
		const ofGeneration = byServer ?? byPieces;
		const isByPieces = byPieces !== null;
		if (ofGeneration !== null) {
			const measuredBy = byServer === null ? 'clock' : 'server';
			return { tokensPerSecond: ofGeneration, measuredBy, ofGeneration, isByPieces };
		}
		const overall = !tokens || totalMs <= 0 ? null : (tokens * 1000) / totalMs;
		return { tokensPerSecond: overall, measuredBy: 'wholeAnswer', ofGeneration, isByPieces };
	}

	/** Tokens that were counted, but not sent: thinking that the server or a gateway holds back. */
	private hiddenTokens(tokens: number): number {
		const { count, characters } = this.pieces;
		const isMoreThanShown = tokens > 2 * count && tokens * MIN_CHARACTERS_PER_TOKEN > characters;
		if (!isMoreThanShown) return 0;
		const counted = this.usage?.reasoningTokens ?? 0;
		if (counted > 0 && !this.hasThinking) return Math.min(counted, tokens);
		const shown = Math.max(count, Math.round(characters / USUAL_CHARACTERS_PER_TOKEN));
		return Math.max(1, tokens - shown);
	}

	/** Tokens per second; null where the pieces do not show it. */
	private speedByClock(tokens: number, totalMs: number, isHidden: boolean): number | null {
		const { count, ofFirstMoment, spanMs } = this.pieces;
		if (this.pieces.moments < 2 || isHidden || this.pieces.isCollected(totalMs)) return null;
		// What came at the first moment was generated before it.
		return (((tokens * (count - ofFirstMoment)) / count) * 1000) / spanMs;
	}

	/** @param speed tokens per second, if known otherwise than by the whole time */
	private arrival(
		tokens: number,
		totalMs: number,
		isHidden: boolean,
		speed: number | null,
	): SpeedSample['arrival'] {
		const { firstMs, count } = this.pieces;
		if (firstMs === undefined) return null;
		const generationMs = this.timings?.predicted_ms;
		const early =
			generationMs === undefined
				? this.arrivalByPieces(tokens, totalMs)
				: this.arrivalByTimings(isHidden ? (generationMs * count) / tokens : generationMs);
		if (early !== undefined) return early;
		return this.isBurst(firstMs, speed) ? 'bursts' : 'streamed';
	}

	/** Undefined: it did not come at once. @param expectedMs how long the server generated what was received */
	private arrivalByTimings(expectedMs: number): SpeedSample['arrival'] | undefined {
		if (expectedMs < MIN_JUDGED_MS) return this.pieces.moments < 2 ? null : 'streamed';
		return this.pieces.spanMs < expectedMs / 2 ? 'collected' : undefined;
	}

	/** Undefined: it did not come at once. */
	private arrivalByPieces(tokens: number, totalMs: number): SpeedSample['arrival'] | undefined {
		if (this.pieces.moments >= 2) return this.pieces.isCollected(totalMs) ? 'collected' : undefined;
		return tokens > MAX_PIECES_PER_MOMENT && totalMs >= MIN_JUDGED_MS ? 'collected' : null;
	}

	/** Whether the first pieces came together, later than they were generated. */
	private isBurst(firstMs: number, speed: number | null): boolean {
		const { ofFirstMoment } = this.pieces;
		if (ofFirstMoment <= MAX_PIECES_PER_MOMENT || !speed) return false;
		const lateMs = ((ofFirstMoment - 1) * 1000) / speed;
		return lateMs > Math.max(MIN_JUDGED_MS, firstMs * LATE);
	}

	/** The first piece is the first token only where nothing was held back before it. */
	private firstToken(
		totalMs: number,
		isHeldBack: boolean,
	): { ms: number; by: 'server' | 'clock' } | undefined {
		const { timings } = this;
		const { firstMs } = this.pieces;
		if (!isHeldBack && firstMs !== undefined) return { ms: firstMs, by: 'clock' };
		if (timings?.predicted_ms === undefined) return undefined;
		const ms = Math.max(totalMs - timings.predicted_ms, timings.prompt_ms ?? 0);
		return { ms: Math.min(ms, firstMs ?? totalMs), by: 'server' };
	}

	/** The time to the first piece is that of reading only where pieces come as they are generated. */
	private promptSpeed(isStreamed: boolean): number | null {
		const { promptTokens, timings } = this;
		const { firstMs = 0 } = this.pieces;
		if (timings?.prompt_per_second !== undefined) return timings.prompt_per_second;
		if (promptTokens === null || firstMs <= 0 || !isStreamed) return null;
		return (promptTokens * 1000) / firstMs;
	}
}

/** Tokens per second; null = not known. */
interface MeasuredSpeed {
	tokensPerSecond: number | null;
	measuredBy: SpeedSample['measuredBy'];
	/** Without reading the prompt and waiting. */
	ofGeneration: number | null;
	/** Whether the pieces show it. */
	isByPieces: boolean;
}

function roundedMs(ms: number | undefined): number | null {
	return ms === undefined ? null : Math.round(ms);
}
