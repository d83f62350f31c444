import type { WireChunk } from '../types';

/**
 * Handles choices other than number 0, the only one requested. Some home-made servers count from 1, so chunks of
 * another choice are kept, and used if choice 0 never comes.
 */
export class OtherChoice {
	private kept: WireChunk[] = [];
	private hasFirst = false;

	/** @returns whether the chunk belongs to another choice */
	keep(chunk: WireChunk): boolean {
		if (chunk.choice === undefined) {
			const { text, reasoning, toolCalls, finishReason } = chunk;
			this.hasFirst ||=
				Boolean(text) || Boolean(reasoning) || Boolean(toolCalls?.length) || Boolean(finishReason);
			if (this.hasFirst) this.kept = [];
			return false;
		}
		const isSame = this.kept.length === 0 || this.kept[0]?.choice === chunk.choice;
		if (!this.hasFirst && isSame) this.kept.push(chunk);
		return true;
	}

	/** The kept chunks, as chunks of choice 0. */
	take(): WireChunk[] {
		return this.kept.splice(0).map((chunk) => ({ ...chunk, choice: undefined }));
	}
}
