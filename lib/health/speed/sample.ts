/** Measures speed from the chunks of one answer. Pure: the caller reads the clock. */
import type { Timings, Usage, WireChunk } from '../../chat/types';
import { speedByServer } from '../../chat/wire/counts';
import { rounded } from '../numbers';

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
	tokensPerSecond: number | null;
	/**
	 * Who measured. `server`: its own timings. `clock`: this node's, from the first piece to the last, network included.
	 * `wholeAnswer`: this node's, from sending to the end, so that reading the prompt and waiting count as well and the
	 * real speed is higher.
	 */
	measuredBy: 'server' | 'clock' | 'wholeAnswer';
}

/** Characters at the beginning of an answer that are checked for garbage. */
const MAX_JUDGED = 400;
/** A shorter answer may well repeat one character. */
const MIN_GARBLED = 8;
/** Pieces that are read this soon after one another came in one packet. */
const SAME_MOMENT_MS = 0.5;
/** A stream brings one piece at a time, or a few where this machine is busy. */
const MAX_PIECES_PER_MOMENT = 4;
/** Bursts still show the speed where they are spread over this share of the time. */
const MIN_SPREAD = 0.2;
/** The test asks for English, with about four characters per token. Fewer than this: there are hidden tokens. */
const MIN_CHARACTERS_PER_TOKEN = 2;
const USUAL_CHARACTERS_PER_TOKEN = 4;
/** A faster answer looks collected even where it is not. */
const MIN_JUDGED_MS = 50;
/** A first piece that is late by more than this share of its time came in a burst. */
const LATE = 0.1;

/** Records the chunks of one answer. Thinking counts as generated, also where there is nothing else. */
export class SpeedRecord {
	private firstMs: number | undefined;
	private firstTextMs: number | undefined;
	private lastMs = 0;
	private pieces = 0;
	private characters = 0;
	private beginning = '';
	private hasThinking = false;
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
			if (this.beginning.length < MAX_JUDGED) this.beginning += text;
			if (this.moments === 1) this.piecesOfFirstMoment = this.pieces;
		}
		if (chunk.reasoning) this.hasThinking = true;
		this.usage = chunk.usage ?? this.usage;
		this.timings = chunk.timings ?? this.timings;
	}

	/** Notes text that is not thinking. */
	noteText(atMs: number): void {
		this.firstTextMs ??= atMs;
	}

	/** Whether the output is garbage: one character repeated (`@@@@`, `GGGG`), or undecodable ones. */
	get isGarbled(): boolean {
		const signs = [...this.beginning.replace(/\s/g, '')];
		const broken = signs.filter((sign) => sign === '\ufffd').length;
		return signs.length >= MIN_GARBLED && (new Set(signs).size === 1 || broken > signs.length / 4);
	}

	/** Whether something was generated that is not shown, as far as the server says so. */
	get isHidden(): boolean {
		return (this.usage?.reasoningTokens ?? 0) > 0;
	}

	/** How many tokens were generated, shown or not. */
	get tokens(): number | null {
		return this.timings?.predicted_n || this.usage?.completionTokens || this.pieces || null;
	}

	sample(totalMs: number, queuedMs = 0): SpeedSample {
		const { usage, timings, tokens } = this;
		const hiddenTokens = this.hiddenTokens(tokens ?? 0);
		const promptTokens = timings?.prompt_n || usage?.promptTokens || null;
		const own = speedByServer(timings);
		const byClock = tokens === null ? null : this.speedByClock(tokens, totalMs, hiddenTokens > 0);
		const overall =
			tokens === null || tokens === 0 || totalMs <= 0 ? null : (tokens * 1000) / totalMs;
		const arrival = this.arrival(tokens ?? 0, totalMs, hiddenTokens > 0, own ?? byClock);
		const first = this.firstToken(
			totalMs,
			hiddenTokens > 0 || arrival === 'collected' || arrival === 'bursts',
		);
		const isSeen = arrival !== 'collected' && this.firstTextMs !== undefined;
		return {
			firstTokenMs: first === null ? null : Math.round(first.ms),
			firstTokenBy: first === null ? null : first.by,
			firstTextMs: isSeen ? Math.round(this.firstTextMs!) : null,
			totalMs: Math.round(totalMs),
			queuedMs: Math.round(queuedMs),
			arrival,
			promptTokens,
			promptTokensPerSecond: rounded(
				timings?.prompt_per_second ??
					this.promptSpeed(promptTokens, byClock !== null && first?.by === 'clock'),
			),
			generatedTokens: tokens,
			hiddenTokens,
			tokensPerSecond: rounded(own ?? byClock ?? overall),
			measuredBy: own !== undefined ? 'server' : byClock === null ? 'wholeAnswer' : 'clock',
		};
	}

	/** Tokens that were counted, but not sent: thinking that the server or a gateway holds back. */
	private hiddenTokens(tokens: number): number {
		const isMoreThanShown =
			tokens > 2 * this.pieces && tokens * MIN_CHARACTERS_PER_TOKEN > this.characters;
		if (!isMoreThanShown) return 0;
		const counted = this.usage?.reasoningTokens ?? 0;
		if (counted > 0 && !this.hasThinking) return Math.min(counted, tokens);
		const shown = Math.max(this.pieces, Math.round(this.characters / USUAL_CHARACTERS_PER_TOKEN));
		return Math.max(1, tokens - shown);
	}

	/** Tokens per second; null where the pieces do not show it. */
	private speedByClock(tokens: number, totalMs: number, isHidden: boolean): number | null {
		const spanMs = this.lastMs - (this.firstMs ?? 0);
		if (this.moments < 2 || isHidden || this.isCollected(totalMs)) return null;
		// What came at the first moment was generated before it.
		return (((tokens * (this.pieces - this.piecesOfFirstMoment)) / this.pieces) * 1000) / spanMs;
	}

	/** A proxy that collects the answer hands it on in a burst. */
	private isCollected(totalMs: number): boolean {
		const isSmooth = this.pieces <= this.moments * MAX_PIECES_PER_MOMENT;
		return !isSmooth && this.lastMs - this.firstMs! < totalMs * MIN_SPREAD;
	}

	/** @param speed tokens per second, if known otherwise than by the whole time */
	private arrival(
		tokens: number,
		totalMs: number,
		isHidden: boolean,
		speed: number | null,
	): SpeedSample['arrival'] {
		const { firstMs, pieces, moments, piecesOfFirstMoment } = this;
		if (firstMs === undefined) return null;
		const generationMs = this.timings?.predicted_ms;
		if (generationMs !== undefined) {
			const expectedMs = isHidden ? (generationMs * pieces) / tokens : generationMs;
			if (expectedMs < MIN_JUDGED_MS) return moments < 2 ? null : 'streamed';
			if (this.lastMs - firstMs < expectedMs / 2) return 'collected';
		} else if (moments < 2)
			return tokens > MAX_PIECES_PER_MOMENT && totalMs >= MIN_JUDGED_MS ? 'collected' : null;
		else if (this.isCollected(totalMs)) return 'collected';
		const lateMs = speed === null || speed === 0 ? 0 : ((piecesOfFirstMoment - 1) * 1000) / speed;
		const isLate =
			piecesOfFirstMoment > MAX_PIECES_PER_MOMENT &&
			lateMs > Math.max(MIN_JUDGED_MS, firstMs * LATE);
		return isLate ? 'bursts' : 'streamed';
	}

	/** The first piece is the first token only where nothing was held back before it. */
	private firstToken(
		totalMs: number,
		isHeldBack: boolean,
	): { ms: number; by: 'server' | 'clock' } | null {
		const { firstMs, timings } = this;
		if (!isHeldBack && firstMs !== undefined) return { ms: firstMs, by: 'clock' };
		if (timings?.predicted_ms === undefined) return null;
		const ms = Math.max(totalMs - timings.predicted_ms, timings.prompt_ms ?? 0);
		return { ms: Math.min(ms, firstMs ?? totalMs), by: 'server' };
	}

	/** The time to the first piece is that of reading only where pieces come as they are generated. */
	private promptSpeed(promptTokens: number | null, isStreamed: boolean): number | null {
		const { firstMs } = this;
		return promptTokens === null || firstMs === undefined || firstMs <= 0 || !isStreamed
			? null
			: (promptTokens * 1000) / firstMs;
	}
}
