import { ReadingPace } from './answer/reading-pace';
import type { TurnMemory } from './answer/turn-memory';
import { Place } from '../http/place';
import { fitHistory } from './request/history-budget';
import { convertMessages } from './request/messages';
import {
	type ChatCall,
	type ChatSettings,
	draftRequest,
	type RequestDraft,
} from './request/request';
import type { ChatMessage } from './types';

/** A call, prepared as far as possible without knowing the server. */
export interface PreparedCall {
	settings: ChatSettings;
	call: ChatCall;
	messages: ChatMessage[];
	draft: RequestDraft;
	/** Notes on what was left out. */
	notes: string[];
	pace: ReadingPace;
	/** Its place in the queue. */
	place: Place;
	/** Calls of earlier turns. */
	memory: TurnMemory;
	/** By `performance.now()`. */
	startedAt: number;
}

/** @throws {ServerError} if the call cannot be sent */
export function prepareCall(
	settings: ChatSettings,
	memory: TurnMemory,
	call: ChatCall,
): PreparedCall {
	const startedAt = performance.now();
	const converted = convertMessages(call.messages, {
		reasoning: settings.reasoningEcho,
		recall: (id) => memory.recall(id),
	});
	const { messages, notes } = withinBudget(converted, settings);
	const draft = draftRequest(settings, call, messages);
	const pace = new ReadingPace(call, settings.limits);
	const place = new Place(call.whole === true);
	return { settings, call, messages, draft, notes, pace, place, memory, startedAt };
}

function withinBudget(
	messages: ChatMessage[],
	{ historyBudget = 0 }: ChatSettings,
): { messages: ChatMessage[]; notes: string[] } {
	if (historyBudget === 0) return { messages, notes: [] };
	const fitted = fitHistory(messages, historyBudget);
	if (fitted.leftOut === 0) return { messages, notes: [] };
	const note = `Left out, because the earlier turns have more than the ${historyBudget} tokens of History Budget: ${fitted.leftOut} of them, from the oldest on.`;
	return { messages: fitted.messages, notes: [note] };
}
