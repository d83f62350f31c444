import { createRun, resultByEvents, reduce } from '../../../lib/dify/events';
import type {
	DifyAppMode,
	FinishReason,
	RunHints,
	StreamStep,
	RunResult,
} from '../../../lib/dify/types';
import { parseJson } from '../../../lib/json';
import { SseDecoder } from '../../../lib/http/sse';
import {
	sampleContext,
	transcript,
	wireText,
	type Item,
	type Script,
	type Step,
} from '../../servers/dify';
import { Transcript } from '../../servers/dify/script';

export const CHATFLOW: DifyAppMode = 'advanced-chat';
/** What every event of a sample stream names, and the same as a result has it. */
export const ENV = { conversation_id: 'c', message_id: 'm', created_at: 1, task_id: 't' };
export const IDS = { conversationId: 'c', messageId: 'm', taskId: 't' };

/** Steps of a script that say these pieces. */
export const said = (...texts: string[]): Step[] => texts.map((text) => ({ text }));

export interface Played {
	result: RunResult;
	/** What a live display that applies the deltas would show. */
	shown: string;
	/** The reducer asked to close the connection. */
	closed: boolean;
	/** What it asked for last. */
	next: StreamStep;
	closeAfterMs?: number;
}

/** Reads bytes as a client would: closes when told, and never reads on. */
export function playBytes(
	pieces: Uint8Array[],
	hints: RunHints = {},
	reason: FinishReason = 'eof',
): Played {
	const decoder = new SseDecoder();
	const state = createRun(hints);
	const played: Omit<Played, 'result'> = { shown: '', closed: false, next: 'continue' };
	const take = (data: string) => {
		if (played.closed) return;
		const step = reduce(state, parseJson(data));
		for (const delta of step.deltas)
			played.shown = delta.type === 'append' ? played.shown + delta.text : delta.text;
		played.next = step.next;
		played.closeAfterMs = step.closeAfterMs;
		played.closed = step.next === 'close';
	};
	for (const piece of pieces) for (const { data } of decoder.push(piece)) take(data);
	for (const { data } of decoder.end()) take(data);
	return { ...played, result: resultByEvents(state, played.closed ? 'closed' : reason) };
}

export function bytesOf(text: string): Uint8Array {
	return new TextEncoder().encode(text);
}

export function playText(text: string, hints?: RunHints, reason?: FinishReason): Played {
	return playBytes([bytesOf(text)], hints, reason);
}

export function itemsText(items: Item[]): string {
	return items.map(wireText).join('');
}

/** The stream that the simulator's version writes for a script. */
export function scriptText(mode: DifyAppMode, script: Script): string {
	return itemsText(transcript(script, sampleContext(mode)));
}

export function playScript(mode: DifyAppMode, script: Script, hints: RunHints = {}): Played {
	return playText(scriptText(mode, script), hints);
}

/** Hand-written events that no version should send, but a client must tolerate. */
export function lines(...events: Array<Record<string, unknown>>): string {
	return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
}

/** A stream that somebody stops after the script's steps. */
export function stoppedText(mode: DifyAppMode, script: Script): string {
	const run = new Transcript(script, sampleContext(mode));
	const items = [
		...run.opening(),
		...script.steps.flatMap((step) => run.step(step)),
		...run.ending('stopped'),
	];
	return itemsText(items);
}
