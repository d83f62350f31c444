import type { TextDelta } from '../../../lib/dify/types';
import { ChatTyping } from '../run/chat-typing';

/** Types the answer of an app, which may be replaced on the way. */
export class AnswerTyping extends ChatTyping {
	private hasText = false;

	/** Text that was sent to the chat cannot be taken back, so a replaced answer begins a new message. */
	async show(deltas: readonly TextDelta[]): Promise<void> {
		const from = deltas.findLastIndex(({ type }) => type === 'replace');
		if (from >= 0 && this.hasText) {
			await this.end();
			await this.begin();
			this.hasText = false;
		}
		const text = deltas
			.slice(Math.max(from, 0))
			.map((delta) => delta.text)
			.join('');
		if (text !== '') this.hasText = true;
		await this.type(text);
	}
}
