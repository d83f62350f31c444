/** Masks secrets in a completion, whose events were masked one by one. */
import { maskDeep } from '../../errors/mask';
import { getWrittenSecrets, NO_SECRETS } from '../../errors/secrets';
import type { Completion } from '../completion';

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
