/** n8n's Chat page without a browser: its REST routes, and the push connection by which it shows responses. */
import { randomUUID } from 'node:crypto';
import type { N8nClient } from './playground';
import { until } from './until';

/** A message as the page stores it. */
export interface StoredMessage {
	id: string;
	type: 'human' | 'ai';
	status: string;
	content: Array<{ content?: string }> | string;
	executionId: number | null;
	previousMessageId: string | null;
}

/** The last response of a conversation, as it is stored. */
export interface StoredResponse {
	text: string;
	status: string;
	executionId: number | null;
}

/** An event of the page. */
export interface PageEvent {
	type: string;
	data: {
		sessionId: string;
		messageId?: string;
		executionId?: number | null;
		status?: string;
		content?: string;
	};
}

/** An entry of the page's list of agents. */
export interface ChatAgent {
	name: string;
	description: string | null;
	model: { workflowId: string };
	metadata: { allowFileUploads: boolean; allowedFilesMimeTypes: string };
}

/** A file of a message. */
export interface Attachment {
	fileName: string;
	mimeType: string;
	/** Base64. */
	data: string;
}

/** Options of Node's WebSocket. */
type NodeWebSocket = new (url: string, options: { headers: Record<string, string> }) => WebSocket;

/** One user's Chat page. */
export class ChatPage {
	readonly events: PageEvent[] = [];

	private constructor(
		private readonly n8n: N8nClient,
		private readonly socket: WebSocket,
	) {
		socket.addEventListener('message', ({ data }) => {
			const event = JSON.parse(String(data)) as PageEvent;
			if (event.type.startsWith('chatHub')) this.events.push(event);
		});
	}

	/** Enables the page, as in *Settings → Chat*, and opens it. */
	static async open(n8n: N8nClient): Promise<ChatPage> {
		await n8n.request('PUT', '/rest/chat/enabled', { enabled: true });
		const url = `${n8n.url.replace('http', 'ws')}/rest/push?pushRef=${randomUUID()}`;
		const headers = {
			cookie: n8n.session(),
			'browser-id': 'n8n-nodes-local-llama',
			origin: n8n.url,
		};
		const socket = new (WebSocket as unknown as NodeWebSocket)(url, { headers });
		await new Promise<void>((resolve, reject) => {
			socket.addEventListener('open', () => resolve());
			socket.addEventListener('error', () => reject(new Error(`No push connection to ${url}`)));
		});
		return new ChatPage(n8n, socket);
	}

	close(): void {
		this.socket.close();
	}

	/** The workflows that the page lists as agents. */
	async agents(): Promise<ChatAgent[]> {
		const path = '/rest/chat/models';
		const { n8n } = await this.n8n.request<{ n8n: { models: ChatAgent[] } }>('POST', path, {
			credentials: {},
		});
		return n8n.models;
	}

	/** A new conversation with a workflow. */
	talk(workflowId: string): Conversation {
		return new Conversation(this.n8n, this, workflowId);
	}
}

/** A conversation of the page. */
export class Conversation {
	readonly sessionId: string = randomUUID();
	private isNew = true;

	constructor(
		private readonly n8n: N8nClient,
		private readonly page: ChatPage,
		private readonly workflowId: string,
	) {}

	/** Events of this conversation so far. */
	get events(): PageEvent[] {
		return this.page.events.filter(({ data }) => data.sessionId === this.sessionId);
	}

	/** Whether the page shows a response, which may be empty. */
	get hasBegun(): boolean {
		return this.events.some(({ type }) => type === 'chatHubStreamBegin');
	}

	/** Text that the page shows while a response arrives. */
	get shown(): string {
		return this.events
			.filter(({ type }) => type === 'chatHubStreamChunk')
			.map(({ data }) => data.content ?? '')
			.join('');
	}

	/** The stored messages, in their order. */
	async messages(): Promise<StoredMessage[]> {
		const path = `/rest/chat/conversations/${this.sessionId}`;
		const { conversation } = await this.n8n.request<{
			conversation: { messages: Record<string, StoredMessage> };
		}>('GET', path);
		const left = Object.values(conversation.messages);
		const ordered: StoredMessage[] = [];
		for (;;) {
			const last = ordered.at(-1)?.id ?? null;
			const next = left.find((message) => message.previousMessageId === last);
			if (next === undefined) return ordered;
			ordered.push(next);
		}
	}

	/** The last response, as it is stored. */
	async lastResponse(): Promise<StoredResponse> {
		const last = (await this.messages()).findLast(({ type }) => type === 'ai');
		if (last === undefined) throw new Error('The conversation has no response');
		return { text: textOfMessage(last), status: last.status, executionId: last.executionId };
	}

	/** Sends a message; its response is not awaited. */
	async begin(message: string, attachments: Attachment[] = []): Promise<void> {
		const previous = this.isNew ? [] : await this.messages();
		this.isNew = false;
		await this.n8n.request('POST', '/rest/chat/conversations/send', {
			messageId: randomUUID(),
			sessionId: this.sessionId,
			message,
			model: { provider: 'n8n', workflowId: this.workflowId },
			previousMessageId: previous.at(-1)?.id ?? null,
			credentials: {},
			attachments,
			timeZone: 'Europe/Berlin',
		});
	}

	/** Sends a message, and waits for the end of its response. */
	async send(message: string, attachments: Attachment[] = []): Promise<StoredResponse> {
		const before = this.ended;
		await this.begin(message, attachments);
		await this.end(before);
		return await this.lastResponse();
	}

	/** Waits until the response has ended, and is stored. */
	async end(before = 0): Promise<void> {
		await until(
			async () => await Promise.resolve(this.ended),
			(count) => count > before,
		);
		await until(
			async () => (await this.messages()).map(({ status }) => status),
			(statuses) => !statuses.includes('running'),
		);
	}

	/** Presses Stop at the running response. */
	async stop(): Promise<void> {
		const { data } = this.events.findLast(({ type }) => type === 'chatHubStreamBegin')!;
		const path = `/rest/chat/conversations/${this.sessionId}/messages/${data.messageId}/stop`;
		await this.n8n.request('POST', path, {});
	}

	private get ended() {
		return this.events.filter(({ type }) => type === 'chatHubExecutionEnd').length;
	}
}

function textOfMessage({ content }: StoredMessage): string {
	return typeof content === 'string' ? content : content.map((part) => part.content ?? '').join('');
}
