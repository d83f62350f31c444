import { asFailed, ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { latestConversation } from '../app/conversations';
import { hasBegun, localError, partialResultOf } from '../errors/failure';
import { optional, type JsonRecord } from '../../values';
import { isOtherConversation } from '../ids';
import { RUN_ROUTES, runBody, startRun, type RunOptions } from './run';
import type { RunResult } from '../types';
import type { WorkflowRequest } from './workflow';

/** Which conversation a message belongs to. `latest`: the one the user wrote in last, looked up in Dify. */
export type ConversationChoice =
	| { kind: 'new'; id?: undefined }
	| { kind: 'latest' }
	| { kind: 'id'; id: string };

export interface DifyChatRequest extends WorkflowRequest {
	/** Sent unchanged. */
	query: string;
	conversation: ConversationChoice;
	/** Dify's default: true. */
	autoGenerateName?: boolean;
}

export interface ChatOptions extends RunOptions {
	/** What to do when the conversation is gone, ended, or another user's. Default: fail. */
	onStaleConversation?: 'error' | 'startNew';
}

export interface DifyChatAnswer {
	result: RunResult;
	/** The wanted conversation could not be continued, so a new one was started. */
	conversationRestarted: boolean;
}

/**
 * Sends one message to a chatbot, agent or chatflow.
 *
 * @throws {ServerError} as `startRun`
 */
export async function chat(
	client: DifyClient,
	request: DifyChatRequest,
	options: ChatOptions = {},
): Promise<DifyChatAnswer> {
	// Blanks alone are a valid query in Dify (docs/protocols/dify.md 2.1).
	if (request.query === '') throw localError('emptyQuery');
	const { conversation, user } = request;
	const conversationId =
		conversation.kind === 'latest' ? await latestConversation(client, user) : conversation.id;
	const run = async (id: string | undefined) =>
		await startRun(client, RUN_ROUTES.chat, bodyOf(request, id), request.user, {
			// Only runs of a chatflow have an ID for recovery.
			recovery: 'attachOrPoll',
			...options,
		});
	if (conversationId === undefined)
		return { result: await run(undefined), conversationRestarted: false };
	try {
		const result = await run(conversationId);
		return { result, conversationRestarted: isRestarted(result, conversationId) };
	} catch (error) {
		const { failed } = asFailed(error);
		if (options.onStaleConversation !== 'startNew' || !isStale(failed)) throw failed;
		return { result: await run(undefined), conversationRestarted: true };
	}
}

/**
 * Whether Dify answered in another conversation: 1.14 does so for a chatflow's unknown one (docs/protocols/dify.md
 * 12.2). It takes blanks as no conversation (2.1).
 */
function isRestarted({ conversationId }: RunResult, requested: string): boolean {
	return requested.trim() !== '' && isOtherConversation(conversationId, requested);
}

function bodyOf(request: DifyChatRequest, conversationId: string | undefined): JsonRecord {
	const { query, autoGenerateName, workflowId } = request;
	return {
		...runBody(request),
		query,
		...optional({
			conversation_id: conversationId,
			auto_generate_name: autoGenerateName,
			workflow_id: workflowId,
		}),
	};
}

function isStale(error: unknown): boolean {
	return (
		error instanceof ServerError &&
		!hasBegun(partialResultOf(error)) &&
		(error.kind === 'conversationNotFound' || error.kind === 'conversationEnded')
	);
}
