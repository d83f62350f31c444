import {
	recordOf,
	recordsIn,
	isRecord,
	isFilled,
	nonEmptyText,
	type JsonRecord,
} from '../../values';
import { addFile } from './collect';
import { knownText, type RunState } from './state';

/** Appends a piece to the answer; after attaching, to the part that waits for what is missing before it. */
export function append(state: RunState, piece: string | undefined): void {
	if (piece === undefined) return;
	if (state.mayHaveGap && !state.isTextWhole) {
		state.tail += piece;
		return;
	}
	state.text += piece;
	state.deltas.push({ type: 'append', text: piece });
}

/** Replaces the text. If the new text only extends it, the rest is appended, which a live display can show. */
export function replace(state: RunState, whole: string, reason: string): void {
	const { text } = state;
	state.text = whole;
	state.tail = '';
	if (whole === text) return;
	if (whole.startsWith(text)) state.deltas.push({ type: 'append', text: whole.slice(text.length) });
	else state.deltas.push({ type: 'replace', text: whole, reason });
}

/** Takes the whole text from outputs of the run. An empty one deletes nothing. */
export function takeWhole(state: RunState, whole: string | undefined, reason: string): void {
	if (whole === undefined || (whole === '' && knownText(state) !== '')) return;
	replace(state, whole, reason);
	state.isTextWhole = true;
}

/**
 * Another text takes the place of the answer: that of the moderation; or, without a reason, that of a snapshot, which is
 * the beginning of the answer as Dify has stored it. Often Dify has stored nothing yet (docs/protocols/dify.md 2.4).
 */
export function replaceMessage(state: RunState, event: JsonRecord): void {
	const answer = nonEmptyText(event.answer) ?? '';
	const reason = nonEmptyText(event.reason);
	const isSnapshot = state.mayHaveGap && reason === undefined;
	if (isSnapshot && state.text.startsWith(answer)) return;
	replace(state, answer, reason ?? 'message_replace');
	if (reason !== 'output_moderation') return;
	state.moderated = true;
	state.isTextWhole = true;
}

/**
 * docs/protocols/dify.md 3.5: after `agent_message` pieces a `message` repeats the complete answer (New Agent), however
 * often it comes; without them it is a piece (chat, chatflow, moderation and annotation in agent apps).
 */
export function messageText(state: RunState, event: JsonRecord): void {
	const answer = nonEmptyText(event.answer);
	if (answer === undefined) return;
	if (state.sawAgentMessage) takeFullMessage(state, answer);
	else append(state, answer);
}

/** What was said before a tool call is no part of the repeated answer; then its end was shown already. */
function takeFullMessage(state: RunState, answer: string): void {
	const isShown = state.tail === '' && state.text.trimEnd().endsWith(answer.trim());
	replace(state, answer, 'full_message');
	if (isShown) state.deltas = [];
}

/**
 * In chatbots and agents, text chunks of an answer with files come as this event, too (docs/protocols/dify.md 3.3):
 * with an answer, without a URL.
 */
export function messageFile(state: RunState, event: JsonRecord): void {
	if (typeof event.answer === 'string') messageText(state, event);
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
	if (!state.mayHaveGap) state.isTextWhole = true;
	state.messageId ??= nonEmptyText(event.id);
	if (isRecord(event.metadata)) {
		state.metadata = event.metadata;
		if (isFilled(event.metadata.usage)) state.usage = recordOf(event.metadata.usage);
		state.retrieverResources = recordsIn(event.metadata.retriever_resources);
	}
	for (const file of recordsIn(event.files)) addFile(state, file);
}
