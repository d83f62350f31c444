import { ServerError } from '../../errors/server-error';
import { isNonEmpty } from '../../values/records';
import { findLatestConversationId } from '../app';
import type { DifyClient } from '../client';
import { createLocalError } from '../create-error';
import { hasRunStarted, getPartialResult } from '../partial-result';
import type { RunResult } from '../types';
import type { RunRoute } from './run-route';
import type { RunRequest } from './start-run';
import { startRun } from './start-run';

const CHAT: RunRoute = {
	operation: 'chat',
	startPath: '/chat-messages',
	mode: 'chat',
};

/** Conversation of a message. */
export type ConversationChoice =
	| { type: 'new'; id?: undefined }
	/** The one that the user last used, looked up in Dify. */
	| { type: 'latest' }
	| { type: 'id'; id: string };

/** A message to send. */
export interface ChatMessageRequest extends RunRequest {
	/** Sent unchanged. */
	query: string;
	conversation: ConversationChoice;
	/** Dify's default: true. */
	autoGenerateName?: boolean;
	/** What to do if the conversation is missing, ended, or belongs to another user. Default: fail. */
	onStaleConversation?: 'error' | 'startNew';
}

interface ChatMessageResult {
	result: RunResult;
	/** The conversation could not be continued, so a new one was started. */
	conversationRestarted: boolean;
}

/**
 * Sends one message to a chatbot, agent or chatflow.
 *
 * @throws {ServerError} as `startRun` does
 */
export async function sendChatMessage(
	client: DifyClient,
	request: ChatMessageRequest,
): Promise<ChatMessageResult> {
	const { conversation, query, autoGenerateName, workflowId } = request;
	if (!saysSomething(request))
		throw createLocalError('emptyQuery', {
			field: 'query',
			inputProblem: 'empty',
		});
	const sendTo = async (id?: string) =>
		await startRun(client, {
			route: CHAT,
			request,
			extraFields: {
				query,
				conversation_id: id,
				auto_generate_name: autoGenerateName,
				workflow_id: workflowId,
			},
		});
	const id =
		conversation.type === 'latest'
			? await findLatestConversationId(client, request.user)
			: conversation.id;
	if (id === undefined) return { result: await sendTo(), conversationRestarted: false };
	try {
		const result = await sendTo(id);
		// 1.14 starts a new one if a chatflow's conversation is unknown (docs/protocols/dify.md 12.2).
		const { conversationId = id } = result;
		return { result, conversationRestarted: conversationId.toLowerCase() !== id.toLowerCase() };
	} catch (error) {
		if (request.onStaleConversation !== 'startNew' || !isStale(error)) throw error as Error;
		// The requested conversation could not be continued, so a new one is started.
		return { result: await sendTo(), conversationRestarted: true };
	}
}

/** A blank query is valid in Dify (docs/protocols/dify.md 2.1), but needs a file or an input that the message is about. */
function saysSomething({ query, files, inputs }: ChatMessageRequest) {
	if (query.trim() !== '') return true;
	return query !== '' && (isNonEmpty(files) || isNonEmpty(inputs));
}

function isStale(error: unknown) {
	if (!(error instanceof ServerError) || hasRunStarted(getPartialResult(error))) return false;
	return error.type === 'conversationNotFound' || error.type === 'conversationEnded';
}
