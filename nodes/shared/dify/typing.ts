import type { IExecuteFunctions } from 'n8n-workflow';

import type { TextDelta } from '../../../lib/dify/types';
import { toChat } from '../to-chat';

/** Types the answer of one item into n8n's chat, piece by piece. */
export class ChatTyping {
	private begun = false;
	private hasText = false;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly itemIndex: number,
	) {}

	async begin(): Promise<void> {
		this.begun = true;
		this.hasText = false;
		await toChat(this.context, 'begin', this.itemIndex);
	}

	/** Text that was sent to the chat cannot be taken back, so a replaced answer begins a new message. */
	async show(deltas: readonly TextDelta[]): Promise<void> {
		const from = deltas.findLastIndex(({ type }) => type === 'replace');
		if (from >= 0 && this.hasText) {
			await this.end();
			await this.begin();
		}
		const text = deltas
			.slice(Math.max(from, 0))
			.map((delta) => delta.text)
			.join('');
		if (text === '') return;
		this.hasText = true;
		await toChat(this.context, 'item', this.itemIndex, text);
	}

	async end(): Promise<void> {
		if (this.begun) await toChat(this.context, 'end', this.itemIndex);
		this.begun = false;
	}
}
