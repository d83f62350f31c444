import type { WireChunk } from '../types';

/**
 * llama-swap with `sendLoadingState` opens a stream at once and tells as thinking how it loads the model, between two
 * rules of ━ (seen: 0bdb372; docs/protocols/other-servers.md 6.3). Its chunks hold nothing but that: no id, no model.
 */
export class LoadingMessages {
	private state: 'before' | 'talking' | 'over' = 'before';
	private said = '';

	/** @returns whether the chunk is such talk, and no part of the answer */
	take({ bareReasoning: talk }: WireChunk): boolean {
		if (this.state === 'over') return false;
		const isTalk = talk !== undefined && (this.state === 'talking' || /^\s*━/.test(talk));
		if (!isTalk) {
			this.state = 'over';
			return false;
		}
		this.state = 'talking';
		this.said += talk;
		return true;
	}

	/** Milliseconds that loading took; undefined where nothing was told. */
	get loadMs(): number | undefined {
		const seconds = /Done! \((\d+(?:\.\d+)?)s\)/.exec(this.said)?.[1];
		return seconds === undefined ? undefined : Math.round(Number(seconds) * 1000);
	}
}
