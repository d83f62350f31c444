import type { WireChunk } from '../types';

/**
 * Recognizes llama-swap's loading messages. With `sendLoadingState` it opens a stream at once and reports the loading
 * of the model as thinking, between two lines of ━ (seen: 0bdb372; docs/protocols/other-servers.md 6.3). These chunks
 * have no id and no model.
 */
export class LoadingMessages {
	private state: 'before' | 'talking' | 'over' = 'before';
	private said = '';

	/** @returns whether the chunk is such a message, and not part of the answer */
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

	/** Load time in milliseconds; undefined if not reported. */
	get loadMs(): number | undefined {
		const seconds = /Done! \((\d+(?:\.\d+)?)s\)/.exec(this.said)?.[1];
		return seconds === undefined ? undefined : Math.round(Number(seconds) * 1000);
	}
}
