import { parseJson } from '../../../json';
import type { Transform } from '../chunk';

/**
 * JSON that was asked for and came as thinking. LMDeploy 0.18 with a reasoning parser takes an answer for thinking
 * until a closing tag, which a response format does not let the model write.
 */
export function jsonInThinking(): Transform {
	let reasoning = '';
	let isAnswered = false;
	return {
		push(chunk) {
			reasoning += chunk.reasoning ?? '';
			isAnswered ||= (chunk.text ?? '').trim() !== '' || chunk.callsAreWhole !== undefined;
			return [chunk];
		},
		end() {
			if (isAnswered || parseJson(reasoning) === undefined) return [];
			return [{ text: reasoning, isLiteral: true }];
		},
	};
}
