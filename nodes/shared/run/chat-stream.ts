import { type IExecuteFunctions, isToolType } from 'n8n-workflow';

/** A change of an answer: text to append, or a text that replaces it. */
interface TextDelta {
	type: 'append' | 'replace';
	text: string;
}

/** Streams the text of one item into n8n's chat. An item without text sends nothing. */
export class ChatStream {
	private hasBegun = false;
	private hasText = false;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly itemIndex: number,
	) {}

	/** Begins a message, where none is open. */
	async begin(): Promise<void> {
		if (!this.hasBegun) await this.context.sendChunk('begin', this.itemIndex);
		this.hasBegun = true;
	}

	async write(text: string): Promise<void> {
		if (text === '') return;
		this.hasText = true;
		await this.begin();
		await this.context.sendChunk('item', this.itemIndex, text);
	}

	/** Text that was sent to the chat cannot be taken back, so a replaced answer begins a new message. */
	readonly show = async (pieces: readonly TextDelta[]): Promise<void> => {
		const from = pieces.findLastIndex(({ type }) => type === 'replace');
		if (from >= 0 && this.hasText) {
			await this.end();
			await this.begin();
		}
		await this.write(
			pieces
				.slice(Math.max(from, 0))
				.map(({ text }) => text)
				.join(''),
		);
	};

	async end(): Promise<void> {
		if (this.hasBegun) await this.context.sendChunk('end', this.itemIndex);
		this.hasBegun = false;
		this.hasText = false;
	}
}

/**
 * Whether to stream into the workflow's chat. Not as a tool, which answers to an agent: n8n runs a tool in an ordinary
 * context, so the node's type tells (as in n8n's own Chat node). In n8n 2.20 the context of a tool cannot be asked at
 * all.
 */
export function shouldStreamToChat(context: IExecuteFunctions): boolean {
	return !isToolType(context.getNode().type) && context.isStreaming();
}
