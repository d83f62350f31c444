import type { ToolDefinition } from '../../types';
import type { Transform } from '../chunk';
import { cutCallIn } from '../cut-call';

/** A call that the token limit cut off, and that arrives as the text of the answer. It is not shown. */
export function cutCalls(tools: readonly ToolDefinition[]): Transform {
	let text = '';
	let isCut = false;
	let hasCalls = false;
	return {
		push(chunk) {
			const isFirst = text === '';
			text += chunk.text ?? '';
			isCut ||= chunk.finishReason === 'length';
			hasCalls ||= chunk.callsAreWhole !== undefined;
			const isWholeCall = isCut && isFirst && !hasCalls && cutCallIn(text, tools) !== undefined;
			return [isWholeCall ? { ...chunk, text: '', hiddenText: text } : chunk];
		},
		end() {
			const cutCall = isCut && !hasCalls ? cutCallIn(text, tools) : undefined;
			return cutCall === undefined ? [] : [{ cutCall }];
		},
	};
}
