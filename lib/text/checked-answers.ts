import type { AnswerSource } from '../chat/client';
import type { ChatCall } from '../chat/request/request';
import type { ResponseFormat, FinishedAnswer } from '../chat/types';
import { ServerError } from '../errors/server-error';
import { optional } from '../values';
import { requestedJson } from '../chat/checked-json';

const REMEDY =
	'Say in the prompt which fields you want, lower the temperature, or choose a larger model or a server that enforces the schema. The answer is in the details.';

/**
 * A chat model whose answers are checked against the requested JSON format. Servers may not enforce it: llama.cpp with
 * llguidance accepts a broken schema with 200 and constrains nothing, and parts that llama.cpp cannot enforce are not
 * even sent.
 *
 * Answers with tool calls are not checked here: the tool checks its arguments.
 */
export class CheckedAnswers implements AnswerSource {
	constructor(
		private readonly source: AnswerSource,
		private readonly format: ResponseFormat | undefined,
	) {}

	/** As the source: its pieces are passed on as they come. */
	get keepsPace(): boolean {
		return this.source.keepsPace === true;
	}

	/**
	 * As `ChatClient.generate`. A stream fails only at its end, after all text was yielded.
	 *
	 * @throws {ServerError} of kind `invalidAnswer` with the text in `partialText`
	 */
	async *generate(call: ChatCall): AsyncGenerator<string, FinishedAnswer> {
		const answer = yield* this.source.generate(call);
		if (this.format === undefined || answer.toolCalls.length > 0) return answer;
		const checked = await this.checked(answer, this.format);
		if (checked === undefined) return answer;
		const notes = [...answer.notes, ...checked.unchecked];
		if (answer.text.trim() === checked.json) return { ...answer, notes };
		// The model put the JSON into a code block or between words. Returned as text, large numbers stay exact.
		return { ...answer, notes, text: checked.json };
	}

	private async checked(
		answer: FinishedAnswer,
		format: ResponseFormat,
	): ReturnType<typeof requestedJson> {
		try {
			return await requestedJson(answer, format, REMEDY);
		} catch (error) {
			throw withUsage(error, answer);
		}
	}
}

function withUsage(error: unknown, { usage }: FinishedAnswer): unknown {
	return error instanceof ServerError ? error.withFacts(optional({ usage })) : error;
}
