import { ReadingPace } from './answer/reading-pace';
import type { TurnMemory } from './answer/turn-memory';
import { convertMessages } from './request/messages';
import { type ChatCall, type ChatSettings, draftRequest, type RequestDraft } from './request/request';
import type { ChatMessage } from './types';

/** A call as far as it does not depend on who answers. */
export interface PreparedCall {
	settings: ChatSettings;
	call: ChatCall;
	messages: ChatMessage[];
	draft: RequestDraft;
	pace: ReadingPace;
	/** Calls of earlier turns. */
	memory: TurnMemory;
	/** By `performance.now()`. */
	startedAt: number;
}

/** @throws {ServerError} where the call cannot be sent as it is */
export function prepareCall(
	settings: ChatSettings,
	memory: TurnMemory,
	callOrCallback: ChatCall | (() => ChatCall),
): PreparedCall {
	const startedAt = performance.now();
	const call = typeof callOrCallback === 'function' ? callOrCallback() : callOrCallback;
	const messages = convertMessages(call.messages, {
		reasoning: settings.reasoningEcho,
		recall: (id) => memory.recall(id),
	});
	const draft = draftRequest(settings, call, messages);
	return { settings, call, messages, draft, pace: new ReadingPace(call, settings.limits), memory, startedAt };
}
