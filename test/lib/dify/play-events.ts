import { applyEvent, createRunState, hasLastEvent } from '../../../lib/dify/run/run-state';
import { finalizeText } from '../../../lib/dify/run/finalize-text';
import { toRunResult } from '../../../lib/dify/run/run-result';
import type { DifyAppMode, RunResult } from '../../../lib/dify/types';
import { sampleContext, transcript, wireText } from '../../simulators/dify';
import type { Script, Step } from '../../simulators/dify';

/** IDs in every event of a sample stream. */
export const EVENT_IDS = { conversation_id: 'c', message_id: 'm', created_at: 1, task_id: 't' };

/** Script steps that stream these texts. */
export const textSteps = (...texts: string[]): Step[] => texts.map((text) => ({ text }));

export interface PlayedRun {
	result: RunResult;
	/** Text of a live display that applies the deltas. */
	displayedText: string;
	/** No relevant event can follow. */
	isFinished: boolean;
}

/** The result of events. */
export function playEvents(...events: unknown[]): PlayedRun {
	const run = createRunState({ keepsNodeValues: true });
	let displayedText = '';
	const display = (deltas: ReturnType<typeof applyEvent>) => {
		for (const delta of deltas)
			displayedText = delta.type === 'append' ? displayedText + delta.text : delta.text;
	};
	for (const event of events) display(applyEvent(run, event));
	display(finalizeText(run));
	return { result: toRunResult(run), displayedText, isFinished: hasLastEvent(run) };
}

/** The events that the simulator's version writes for a script. */
export function writeEvents(mode: DifyAppMode, script: Script): unknown[] {
	const text = transcript(script, sampleContext(mode)).map(wireText).join('');
	return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as unknown);
}
