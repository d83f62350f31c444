import {
	recordOf,
	recordsIn,
	isRecord,
	isFilled,
	nonEmptyText,
	type JsonRecord,
} from '../../values';
import type { TextDelta } from '../types';
import { addFile } from './collect';
import type { RunState } from './state';

/** Appends a piece to the answer. */
export function append(state: RunState, piece: string | undefined, deltas: TextDelta[]): void {
	if (piece === undefined) return;
	state.text += piece;
	deltas.push({ type: 'append', text: piece });
}

/** Replaces the text. If the new text only extends it, the rest is appended, which a live display can show. */
export function replace(state: RunState, whole: string, reason: string, deltas: TextDelta[]): void {
	if (whole.startsWith(state.text)) {
		append(state, nonEmptyText(whole.slice(state.text.length)), deltas);
		return;
	}
	state.text = whole;
	deltas.push({ type: 'replace', text: whole, reason });
}

/**
 * docs/protocols/dify.md 3.5: after `agent_message` pieces the first `message` repeats the complete answer (New Agent),
 * without them it is a piece (chat, chatflow, moderation and annotation in agent apps). An empty one repeats nothing.
 */
export function messageText(state: RunState, event: JsonRecord, deltas: TextDelta[]): void {
	const answer = nonEmptyText(event.answer);
	if (answer === undefined) return;
	if (state.sawAgentMessage && !state.sawMessage) replace(state, answer, 'full_message', deltas);
	else append(state, answer, deltas);
	state.sawMessage = true;
}

/**
 * In chatbots and agents, text chunks of an answer with files come as this event, too (docs/protocols/dify.md 3.3):
 * with an answer, without a URL.
 */
export function messageFile(state: RunState, event: JsonRecord, deltas: TextDelta[]): void {
	if (typeof event.answer === 'string') messageText(state, event, deltas);
	else addFile(state, pick(event, ['id', 'type', 'belongs_to', 'url']));
}

function pick(event: JsonRecord, keys: string[]): JsonRecord {
	return Object.fromEntries(
		keys.filter((key) => isFilled(event[key])).map((key) => [key, event[key]]),
	);
}

/** The closing event of an answer: its usage, its sources, its files. */
export function messageEnd(state: RunState, event: JsonRecord): void {
	state.messageEnded = true;
	state.messageId ??= nonEmptyText(event.id);
	if (isRecord(event.metadata)) {
		state.metadata = event.metadata;
		if (isFilled(event.metadata.usage)) state.usage = recordOf(event.metadata.usage);
		state.retrieverResources = recordsIn(event.metadata.retriever_resources);
	}
	for (const file of recordsIn(event.files)) addFile(state, file);
}

/** Speech is left out unless it is wanted. */
export function addAudio(state: RunState, event: JsonRecord): void {
	if (state.hints.wantAudio !== true) return;
	const piece = nonEmptyText(event.audio);
	if (piece !== undefined) state.audioPieces.push(Buffer.from(piece, 'base64'));
	if (event.event === 'tts_message_end') state.audioEnded = true;
}
