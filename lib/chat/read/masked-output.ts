/** Masks secrets that a response split over several events. */
import { maskDeep } from '../../errors/mask';
import { MaskedStream } from '../../errors/masked-stream';
import { getWrittenSecrets, NO_SECRETS } from '../../errors/secrets';
import type { TextAndReasoning } from '../../text/reasoning';
import type { Completion } from '../completion';

/** Masks the output of a response, whose events were masked one by one. */
export class MaskedOutput {
	private readonly text: MaskedStream;
	private readonly reasoning: MaskedStream;

	constructor(secrets: readonly string[] | undefined) {
		this.text = new MaskedStream(secrets);
		this.reasoning = new MaskedStream(secrets);
	}

	/**
	 * Masks the output of an event. The thinking ends where the text goes on.
	 *
	 * @returns what can be shown now: the last word, which may be of a secret, follows later
	 */
	maskDelta({ text, reasoning }: TextAndReasoning): TextAndReasoning {
		const shownReasoning = this.reasoning.push(reasoning);
		return {
			text: this.text.push(text),
			reasoning: text === '' ? shownReasoning : shownReasoning + this.reasoning.end(),
		};
	}

	/** Masks the last output, and returns it with all that was kept. */
	end({ text, reasoning }: TextAndReasoning): TextAndReasoning {
		return {
			text: this.text.push(text) + this.text.end(),
			reasoning: this.reasoning.push(reasoning) + this.reasoning.end(),
		};
	}
}

/** Masks what came in several events. */
export function maskCompletion(
	completion: Completion,
	secrets: readonly string[] = NO_SECRETS,
): Completion {
	const { text, reasoning, toolCalls, failure, rejectedCall, ignoredEnd } = completion;
	return {
		...completion,
		...maskDeep(
			{ text, reasoning, toolCalls, failure, rejectedCall, ignoredEnd },
			getWrittenSecrets(secrets),
		),
	};
}
