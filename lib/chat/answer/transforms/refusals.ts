import { eachChunk } from '../chunk';
import { deltaOf } from './origin';

/** The model's refusal, which some servers send in a field of its own. */
export const refusals = () =>
	eachChunk((chunk) => {
		const { refusal } = deltaOf(chunk);
		if (typeof refusal !== 'string' || refusal === '' || refusal === chunk.text) return chunk;
		return { ...chunk, text: `${chunk.text ?? ''}${refusal}` };
	});
