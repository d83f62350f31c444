/** Types and helpers for many streamed chats in n8n's queue mode. */
import type { N8nClient } from '../../../scripts/lib/types';
import { loadScript } from '../../support/scripts';

export interface Chat {
	webhookId: string;
	text: string;
}

export interface ChatOutcome extends Chat {
	answer: string;
	pieces: number;
	/** Time to the first text. */
	firstMs?: number;
	ms: number;
	/** Lines of the type error. */
	errors: string[];
	/** Whether n8n closed the stream. */
	ended: boolean;
	/** Why n8n did not close it. */
	problem?: string;
}

interface HoldOptions {
	atOnce: number;
	/** Time limit for each chat. */
	limitMs: number;
	onPiece?: (index: number) => void;
}

interface Scripts {
	holdChats(n8n: N8nClient, chats: Chat[], options: HoldOptions): Promise<ChatOutcome[]>;
	holdChat(n8n: N8nClient, chat: Chat, options?: { signal?: AbortSignal }): Promise<ChatOutcome>;
	questions(count: number, webhookIds: string[], name?: string): Chat[];
	answerOf(question: string): string;
	REPLIES: Array<{ contains: string; reply: string }>;
	createAgentChat(
		n8n: N8nClient,
		webhookId: string,
		server: { url: string; maxConcurrentRequests?: number; options?: Record<string, unknown> },
	): Promise<void>;
	createDifyChat(
		n8n: N8nClient,
		webhookId: string,
		app: { url: string; key: string },
	): Promise<void>;
}

/** Modules that `npm run bench -- scale` uses, too. */
export async function scaleScripts(): Promise<Scripts> {
	const [chats, answers, workflows] = await Promise.all(
		['chats', 'scale-answers', 'scale-workflows'].map(
			async (name) => await loadScript<Scripts>(name),
		),
	);
	return { ...chats!, ...answers!, ...workflows! };
}

/** Counts by name, so that one comparison shows all differences. */
export function counted(names: readonly string[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
	return counts;
}
