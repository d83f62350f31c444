import type { IExecuteFunctions } from 'n8n-workflow';

import { toChat } from '../shared/to-chat';

/** Types the text of one item into n8n's chat, piece by piece. Of an item without text the chat sees nothing. */
export class TextTyping {
	private begun = false;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly itemIndex: number,
	) {}

	async type(text: string): Promise<void> {
		if (text === '') return;
		if (!this.begun) await toChat(this.context, 'begin', this.itemIndex);
		this.begun = true;
		await toChat(this.context, 'item', this.itemIndex, text);
	}

	async end(): Promise<void> {
		if (this.begun) await toChat(this.context, 'end', this.itemIndex);
		this.begun = false;
	}
}
