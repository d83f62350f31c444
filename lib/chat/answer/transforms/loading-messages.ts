import type { Chunk, Transform } from '../chunk';
import { choiceOf, deltaOf, jsonOf } from './origin';

/**
 * Takes out llama-swap's loading messages. With `sendLoadingState` it opens a stream at once and reports the loading
 * of the model as thinking, between two lines of ━ (seen: 0bdb372; docs/protocols/other-servers.md 6.3). These chunks
 * have no id and no model.
 */
export function loadingMessages(): Transform {
	let state: 'before' | 'loading' | 'over' = 'before';
	let messages = '';
	return {
		push(chunk) {
			if (state === 'over') return [chunk];
			const message = bareThinking(chunk);
			if (message !== undefined && (state === 'loading' || /^\s*━/.test(message))) {
				state = 'loading';
				messages += message;
				return [];
			}
			state = 'over';
			const loadMs = loadTimeIn(messages);
			return [loadMs === undefined ? chunk : { ...chunk, loadMs }];
		},
		end() {
			const loadMs = state === 'loading' ? loadTimeIn(messages) : undefined;
			return loadMs === undefined ? [] : [{ loadMs }];
		},
	};
}

/** Thinking in a chunk that contains nothing else, not even an id or a model. */
function bareThinking(chunk: Chunk): string | undefined {
	const delta = deltaOf(chunk);
	if (!('reasoning_content' in delta)) return undefined;
	const levels = [jsonOf(chunk) ?? {}, choiceOf(chunk), delta];
	return levels.every((level) => Object.keys(level).length === 1) ? chunk.reasoning : undefined;
}

function loadTimeIn(messages: string): number | undefined {
	const seconds = /Done! \((\d+(?:\.\d+)?)s\)/.exec(messages)?.[1];
	return seconds === undefined ? undefined : Math.round(Number(seconds) * 1000);
}
