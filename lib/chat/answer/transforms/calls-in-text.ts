import { keptAsText } from '../../../json';
import type { Family } from '../../text-formats/families';
import { QuotedInput } from '../../text-formats/quoted-input';
import { type ReadCall, TextCalls } from '../../text-formats/text-calls';
import type { ToolDefinition } from '../../types';
import { type Chunk, type Transform, withPauses } from '../chunk';
import { moreTellingReason, NATURAL_END } from '../finish-reason';

/**
 * Takes calls out of the text, for servers that do not parse them.
 *
 * @param input the messages of the request: a call that also stands there is a quotation
 */
export function callsInText(
	tools: readonly ToolDefinition[],
	family: Family | undefined,
	input: readonly string[],
): Transform {
	const reader = new TextCalls(tools, family);
	let finishReason: string | undefined;
	let hasOthers = false;
	let others: readonly ReadCall[] = [];
	return {
		push(chunk) {
			if (chunk.finishReason !== undefined)
				finishReason = moreTellingReason(finishReason, chunk.finishReason);
			hasOthers ||= chunk.callsAreWhole !== undefined;
			others = chunk.calls ?? others;
			if (chunk.text === undefined) return [chunk];
			const text = reader.push(chunk.text);
			return [text === chunk.text ? chunk : { ...chunk, text }];
		},
		*end(end) {
			const reading = reader.end({
				isNatural: NATURAL_END.test(finishReason ?? ''),
				isBroken: end === 'failed' || (finishReason === undefined && end !== 'done'),
				hasOthers,
				others,
				input: new QuotedInput(input),
			});
			const { text, calls, largeNumbers = [], seen } = yield* withPauses(reading);
			const last: Chunk = { text, notes: keptAsText(largeNumbers) };
			if (calls.length > 0) last.callsInText = { calls, format: family! };
			if (seen !== undefined) last.unrunCall = seen;
			yield last;
		},
	};
}
