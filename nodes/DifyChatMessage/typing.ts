import { isToolType, type IExecuteFunctions } from 'n8n-workflow';

import type { TextDelta } from '../../lib/dify/types';

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
		await this.context.sendChunk('begin', this.itemIndex);
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
		await this.context.sendChunk('item', this.itemIndex, text);
	}

	async end(): Promise<void> {
		if (this.begun) await this.context.sendChunk('end', this.itemIndex);
		this.begun = false;
	}
}

/**
 * Whether the chat in front of the workflow wants to be typed into. As a tool the node answers to an agent, not to the
 * chat: n8n runs a tool in an ordinary context, so the type of the node tells (as in n8n's own Chat node). The contexts
 * of tools in n8n 2.20 cannot be asked at all.
 */
export function typesIntoChat(context: IExecuteFunctions): boolean {
	return !isToolType(context.getNode().type) && context.isStreaming();
}
