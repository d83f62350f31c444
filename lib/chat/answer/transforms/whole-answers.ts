import { isRecord } from '../../../values';
import { UnreadableEvent } from '../../wire/protocol';
import { eachChunk } from '../chunk';
import { jsonOf } from './origin';
import { whole } from './whole-messages';

/** A JSON answer in one piece is complete, even if a simple server omits the reason. */
export const wholeAnswers = () =>
	eachChunk((chunk) => {
		const { origin, toolCalls, finishReason = 'stop' } = chunk;
		const json = jsonOf(chunk);
		if (origin?.event !== 'whole-answer' || json === undefined) return chunk;
		if (![json.choices].flat().some(isRecord))
			throw new UnreadableEvent('an answer without choices', origin.data);
		return {
			...chunk,
			...(toolCalls === undefined ? {} : { toolCalls: whole(toolCalls) }),
			finishReason,
			done: true,
		};
	});
