import type { IExecuteFunctions } from 'n8n-workflow';

import { toChat } from './to-chat';

/** Types the text of one item into n8n's chat, piece by piece. Of an item without text the chat sees nothing. */
export class ChatTyping {
	private begun = false;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly itemIndex: number,
	) {}

	/** Begins a message, where none is open. */
	async begin(): Promise<void> {
		if (!this.begun) await toChat(this.context, 'begin', this.itemIndex);
		this.begun = true;
	}

	async type(text: string): Promise<void> {
		if (text === '') return;
		await this.begin();
		await toChat(this.context, 'item', this.itemIndex, text);
	}

	async end(): Promise<void> {
		if (this.begun) await toChat(this.context, 'end', this.itemIndex);
		this.begun = false;
	}
}

/** Shows in the chat why an item failed. */
export const failuresToChat = (context: IExecuteFunctions) => ({
	onFailure: async (itemIndex: number, text: string) => await toChat(context, 'error', itemIndex, text),
});
