import { recordsIn } from '../../../values';
import { thinkingIn } from '../../wire/thinking-in';
import { eachChunk } from '../chunk';
import { isThinking } from './content-parts';
import { deltaOf } from './origin';

/** Thinking under other names and in other shapes. Some releases of vLLM send two of these, one of them empty. */
export const thinkingFields = () =>
	eachChunk((chunk) => {
		if (chunk.reasoning !== undefined || chunk.origin === undefined) return chunk;
		const delta = deltaOf(chunk);
		const reasoning =
			thinkingIn(delta.reasoning_content) ||
			thinkingIn(delta.reasoning) ||
			thinkingIn(delta.thinking) ||
			thinkingIn(recordsIn([delta.content].flat()).filter(isThinking)) ||
			thinkingIn(delta.thinking_blocks) ||
			thinkingIn(delta.reasoning_details) ||
			thinkingIn(delta.tensorzero_extra_content);
		return reasoning === '' ? chunk : { ...chunk, reasoning };
	});
