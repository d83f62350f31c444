import type { WireChunk } from '../types';

/**
 * Choices that nobody asked for. Only the first one, number 0, is read; but some home-made servers count from 1, and
 * send no other. Their chunks are kept until the end shows that there was no first choice.
 */
export class OtherChoice {
	private kept: WireChunk[] = [];
	private hasFirst = false;

	/** @returns whether the chunk is of another choice than the first */
	keep(chunk: WireChunk): boolean {
		if (chunk.choice === undefined) {
			const { text, reasoning, toolCalls, finishReason } = chunk;
			this.hasFirst ||= Boolean(text) || Boolean(reasoning) || Boolean(toolCalls?.length) || Boolean(finishReason);
			if (this.hasFirst) this.kept = [];
			return false;
		}
		const isSame = this.kept.length === 0 || this.kept[0]?.choice === chunk.choice;
		if (!this.hasFirst && isSame) this.kept.push(chunk);
		return true;
	}

	/** What was kept, as chunks of the first choice. */
	take(): WireChunk[] {
		return this.kept.splice(0).map((chunk) => ({ ...chunk, choice: undefined }));
	}
}
