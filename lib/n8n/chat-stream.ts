import type { IExecuteFunctions } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';

/** A change of a response: text to append, a text that replaces it, or the complete text that differs from its parts. */
interface TextDelta {
	type: 'append' | 'replace' | 'restate';
	text: string;
}

/** Streams the text of one item into n8n's chat. An item without text sends nothing. */
export class ChatStream {
	private isOpen = false;
	private hasText = false;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly itemIndex: number,
	) {}

	/** Starts a message, unless one is open. */
	async begin(): Promise<void> {
		if (!this.isOpen) await this.context.sendChunk('begin', this.itemIndex);
		this.isOpen = true;
	}

	async write(text: string): Promise<void> {
		if (text === '') return;
		this.hasText = true;
		await this.begin();
		await this.context.sendChunk('item', this.itemIndex, text);
	}

	/** Text that was sent to the chat cannot be removed, so a replaced response starts a new message. */
	readonly show = async (deltas: readonly TextDelta[]): Promise<void> => {
		const from = deltas.findLastIndex(({ type }) => type === 'replace');
		if (from >= 0 && this.hasText) {
			await this.end();
			await this.begin();
		}
		let message = '';
		for (const { type, text } of deltas.slice(Math.max(from, 0))) {
			const isParagraph = type === 'restate' && (this.hasText || message !== '');
			message += isParagraph ? `\n\n${text}` : text;
		}
		await this.write(message);
	};

	/** Before an error, which n8n appends to the message. */
	async breakLine(): Promise<void> {
		if (this.hasText) await this.write('\n\n').catch(() => {});
	}

	async end(): Promise<void> {
		if (this.isOpen) await this.context.sendChunk('end', this.itemIndex);
		this.isOpen = false;
		this.hasText = false;
	}
}

/**
 * Whether to stream into the workflow's chat. A tool responds to an agent instead: n8n runs a tool in an ordinary
 * context, so only the node's type shows it (as in n8n's own Chat node). In n8n 2.20 a tool's context has no
 * `isStreaming`.
 */
export function shouldStreamToChat(context: IExecuteFunctions): boolean {
	return !isToolType(context.getNode().type) && context.isStreaming();
}
