import {
	applyEvent,
	createRunState,
	flushText,
	isRunFinished,
} from '../../../lib/dify/run/run-state';
import { toRunResult } from '../../../lib/dify/run/run-result';
import type { DifyAppMode, RunResult } from '../../../lib/dify/types';
import { sampleContext, transcript, wireText, type Script, type Step } from '../../simulators/dify';

/** IDs in every event of a sample stream. */
export const ENV = { conversation_id: 'c', message_id: 'm', created_at: 1, task_id: 't' };

/** Script steps that stream these texts. */
export const said = (...texts: string[]): Step[] => texts.map((text) => ({ text }));

export interface Played {
	result: RunResult;
	/** Text of a live display that applies the deltas. */
	shown: string;
	/** No relevant event can follow. */
	isOver: boolean;
}

/** The result of events. */
export function playEvents(...events: unknown[]): Played {
	const run = createRunState();
	let shown = '';
	const show = (deltas: ReturnType<typeof applyEvent>) => {
		for (const delta of deltas) shown = delta.type === 'append' ? shown + delta.text : delta.text;
	};
	for (const event of events) show(applyEvent(run, event));
	show(flushText(run));
	return { result: toRunResult(run), shown, isOver: isRunFinished(run) };
}

/** The events that the simulator's version writes for a script. */
export function eventsOf(mode: DifyAppMode, script: Script): unknown[] {
	const text = transcript(script, sampleContext(mode)).map(wireText).join('');
	return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as unknown);
}
