import type { AnswerSource } from '../chat/client';
import type { ChatCall } from '../chat/request/request';
import type { ResponseFormat, FinishedAnswer } from '../chat/types';
import { ServerError } from '../errors/server-error';
import { optional } from '../values';
import { formattedJson } from './formatted';

const REMEDY =
	'Say in the prompt which fields you want, lower the temperature, or choose a larger model or a server that enforces the schema. The answer is in the details.';

/**
 * A chat model whose answers are checked against the JSON that was asked for. Servers need not enforce it: a llama.cpp
 * with llguidance lets a broken schema pass with 200 and constrains nothing, and parts that llama.cpp cannot enforce are
 * not even sent.
 *
 * A call of a tool is no answer: whoever runs the tool checks its arguments.
 */
export class CheckedAnswers implements AnswerSource {
	constructor(
		private readonly source: AnswerSource,
		private readonly format: ResponseFormat | undefined,
	) {}

	/**
	 * As `ChatClient.generate`. What was yielded cannot be taken back, so a stream fails at its end.
	 *
	 * @throws {ServerError} of kind `invalidAnswer` with the text
	 */
	async *generate(given: ChatCall | (() => ChatCall)): AsyncGenerator<string, FinishedAnswer> {
		const answer = yield* this.source.generate(given);
		if (this.format === undefined || answer.toolCalls.length > 0) return answer;
		const found = this.checked(answer, this.format);
		if (found === undefined) return answer;
		const notes = [...answer.notes, ...found.unchecked];
		// The model may have put it into a code block, or words around it. A text keeps large numbers as they are.
		return { ...answer, notes, text: answer.text.trim() === found.json ? answer.text : found.json };
	}

	private checked(answer: FinishedAnswer, format: ResponseFormat): ReturnType<typeof formattedJson> {
		try {
			return formattedJson(answer, format, REMEDY);
		} catch (error) {
			throw error instanceof ServerError ? error.withFacts(optional({ usage: answer.usage })) : error;
		}
	}
}
