import { ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { latestConversation, ownsConversation } from '../app/conversations';
import { difyFailure, hasBegun, localError, partialResultOf } from '../errors/failure';
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
	const run = async (id: string | undefined, more: Partial<RunOptions> = {}) =>
		await startRun(client, RUN_ROUTES.chat, bodyOf(request, id), request.user, {
			// Only runs of a chatflow have an ID for recovery.
			recovery: 'attachOrPoll',
			...options,
			...more,
		});
	if (conversationId === undefined)
		return { result: await run(undefined), conversationRestarted: false };
	const startsNew = options.onStaleConversation === 'startNew';
	// Dify takes blanks as no conversation (docs/protocols/dify.md 2.1).
	const isNamed = conversationId.trim() !== '';
	const only = startsNew || !isNamed ? {} : { onlyConversation: conversationId };
	const outcome = await run(conversationId, only).then(
		(result) => ({ result }),
		(failed: unknown) => ({ failed }),
	);
	if ('result' in outcome) {
		// Dify 1.14 answers a chatflow's unknown conversation with a new one, and 200 (docs/protocols/dify.md 12.2).
		const conversationRestarted =
			isNamed && isOtherConversation(outcome.result.conversationId, conversationId);
		return { result: outcome.result, conversationRestarted };
	}
	const failed = await explainStale(client, request.user, conversationId, outcome.failed);
	if (!startsNew || !isStale(failed)) throw failed;
	return { result: await run(undefined), conversationRestarted: true };
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

/**
 * Workers of Dify 1.14 report an unknown conversation as an error event without code, ids and text
 * (docs/protocols/dify.md 3.7). So the conversation is looked up.
 */
async function explainStale(
	client: DifyClient,
	user: string,
	id: string,
	failed: unknown,
): Promise<unknown> {
	const result = partialResultOf(failed);
	const isBare =
		result?.error?.cause === 'errorEvent' && result.error.code === undefined && !hasBegun(result);
	if (!isBare || (await ownsConversation(client, user, id))) return failed;
	const { url } = failed as ServerError;
	return difyFailure('conversationNotFound', { url, code: 'not_found', status: 404 });
}
