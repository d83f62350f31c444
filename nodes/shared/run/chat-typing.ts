import type { IExecuteFunctions } from 'n8n-workflow';

import { sendToChat } from './send-to-chat';

/** A change of an answer: text to append, or a text that replaces it. */
interface TextPiece {
	type: 'append' | 'replace';
	text: string;
}

/** Streams the text of one item into n8n's chat. An item without text sends nothing. */
export class ChatTyping {
	private begun = false;
	private hasText = false;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly itemIndex: number,
	) {}

	/** Begins a message, where none is open. */
	async begin(): Promise<void> {
		if (!this.begun) await sendToChat(this.context, 'begin', this.itemIndex);
		this.begun = true;
	}

	async type(text: string): Promise<void> {
		if (text === '') return;
		this.hasText = true;
		await this.begin();
		await sendToChat(this.context, 'item', this.itemIndex, text);
	}

	/** Text that was sent to the chat cannot be taken back, so a replaced answer begins a new message. */
	readonly show = async (pieces: readonly TextPiece[]): Promise<void> => {
		const from = pieces.findLastIndex(({ type }) => type === 'replace');
		if (from >= 0 && this.hasText) {
			await this.end();
			await this.begin();
		}
		await this.type(
			pieces
				.slice(Math.max(from, 0))
				.map(({ text }) => text)
				.join(''),
		);
	};

	async end(): Promise<void> {
		if (this.begun) await sendToChat(this.context, 'end', this.itemIndex);
		this.begun = false;
		this.hasText = false;
	}
}
